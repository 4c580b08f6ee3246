// Reads AsyncAPI documents with the AsyncAPI project's own parser and prints what it finds, as JSON: one list a file.
// node parse.mjs DOCUMENT...      References such as ./schemas/x.json are followed from each document's folder.
import { Parser, fromFile } from "@asyncapi/parser";

const SEVERITIES = ["error", "warning", "info", "hint"];
const found = [];
for (const path of process.argv.slice(2)) {
  const { document, diagnostics } = await fromFile(new Parser(), path).parse();
  found.push({
    read: document !== undefined,
    messages: document === undefined ? 0 : document.allMessages().length,
    diagnostics: diagnostics.map(({ code, message, path, severity }) => ({
      severity: SEVERITIES[severity], code, message, at: path.join("."),
    })),
  });
}
process.stdout.write(JSON.stringify(found));
