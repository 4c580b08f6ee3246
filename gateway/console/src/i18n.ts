// Chinese first, English by a switch. Names of states, moves and categories come from the API in both languages.
import { createI18n } from "vue-i18n";
import { session } from "./api";

const zh = {
  title: "平安网格",
  county: "县域平安一张图",
  signIn: { lead: "县域隐患、纠纷与巡逻，一处看清", login: "账号", password: "密码", go: "登录", going: "正在登录…" },
  signOut: "退出",
  language: "English",
  cases: { title: "未结事项", empty: "管辖范围内没有未结事项", none: "没有符合条件的事项", find: "查找编号、描述", overdue: "超期", unassigned: "未归属网格", more: "只显示最近 {n} 件" },
  patrols: "在岗巡逻 {n}",
  events: { title: "动态", empty: "等待新的动态…", live: "实时", lost: "连接中断，正在重连", connecting: "连接中" },
  panel: { history: "办理过程", moves: "可办理", noMoves: "您当前没有可办理的操作", close: "关闭", due: "限期", reported: "上报", area: "位置", lead: "主办单位", note: "说明（可不填）", reason: "理由（必填）", confirm: "确认{move}", cancel: "取消", more: "更多操作", elsewhere: "请在接口中办理" },
  report: { title: "上报事项", category: "类别", description: "情况描述", placeholder: "看到了什么、在哪里、有多严重", send: "上报", sending: "正在上报…", at: "位置 {lon}, {lat}", hint: "点击地图上报", emergency: "危及生命请先拨打 110 / 119 / 120", emptyText: "请先写明情况", done: "已上报，编号 {no}" },
  map: { hint: "点击地图上报隐患", failed: "地图打不开：浏览器不支持 WebGL" },
  error: { unreachable: "连接不上平台，请检查网络", stale: "该事项刚被他人办理，已刷新", load: "加载失败", retry: "重试" },
  loading: "加载中…",
};
const en: typeof zh = {
  title: "Ping'an Grid",
  county: "The county at a glance",
  signIn: { lead: "Hazards, disputes and patrols of a county, in one place", login: "Account", password: "Password", go: "Sign in", going: "Signing in…" },
  signOut: "Sign out",
  language: "中文",
  cases: { title: "Open cases", empty: "No open case in your areas", none: "No case matches", find: "Find number or words", overdue: "Overdue", unassigned: "No grid", more: "The newest {n} are shown" },
  patrols: "{n} on patrol",
  events: { title: "Events", empty: "Waiting for something to happen…", live: "Live", lost: "Connection lost, trying again", connecting: "Connecting" },
  panel: { history: "History", moves: "Your moves", noMoves: "There is no move for you to make now", close: "Close", due: "Due", reported: "Reported", area: "Place", lead: "Lead agency", note: "Note (optional)", reason: "Reason (required)", confirm: "{move}", cancel: "Cancel", more: "More", elsewhere: "By the API" },
  report: { title: "Report a case", category: "Category", description: "What you saw", placeholder: "What, where exactly, how serious", send: "Report", sending: "Reporting…", at: "At {lon}, {lat}", hint: "Click the map to report", emergency: "Life in danger: call 110 / 119 / 120 first", emptyText: "Say first what you saw", done: "Reported as {no}" },
  map: { hint: "Click the map to report a hazard", failed: "No map: this browser has no WebGL" },
  error: { unreachable: "The platform cannot be reached. Check your network", stale: "Somebody else has just moved this case; it is up to date now", load: "Could not be loaded", retry: "Try again" },
  loading: "Loading…",
};

const kept = localStorage.getItem("pingan.language");
session.language = kept === "en" ? "en" : "zh";

export const i18n = createI18n({ legacy: false, locale: session.language, messages: { zh, en } });

export function switchLanguage(): void {
  session.language = session.language === "zh" ? "en" : "zh";
  i18n.global.locale.value = session.language as "zh" | "en";
  localStorage.setItem("pingan.language", session.language);
  document.documentElement.lang = session.language === "zh" ? "zh-CN" : "en";
  document.title = i18n.global.t("title");
}
