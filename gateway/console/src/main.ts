import { createApp } from "vue";
import App from "./App.vue";
import { i18n } from "./i18n";
import "maplibre-gl/dist/maplibre-gl.css";
import "./page.css";
import "./forms.css";
import "./list.css";
import "./case.css";

createApp(App).use(i18n).mount("#app");
