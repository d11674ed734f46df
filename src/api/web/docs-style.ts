// The style sheet of the reference page.

export const DOCS_STYLE = `:root {
  color-scheme: light dark;
  --back: #f5f6f9; --card: #fff; --line: #dfe2ea; --text: #1b2030; --soft: #5b6478; --accent: #3450c8;
  --good: #12703c; --bad: #b3261e; --busy: #8a5300; --hover: #eef0f6; --code: #f0f2f8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #12151d; --card: #1b1f2a; --line: #2f3545; --text: #e8eaf2; --soft: #a0a8bc; --accent: #93a7ff;
    --good: #6fd39a; --bad: #ff9a92; --busy: #f0b860; --hover: #262c3a; --code: #161a23;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 980px; margin: 0 auto; padding: 28px 20px 60px; }
a { color: var(--accent); text-underline-offset: 3px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
h1 { margin: 0 0 6px; font-size: 26px; } h1 small, .soft, .hint, label small { color: var(--soft); font-weight: 400; }
h1 small { font-size: 16px; }
h2 { margin: 30px 0 2px; font-size: 18px; text-transform: capitalize; }
h4 { margin: 18px 0 6px; font-size: 14px; color: var(--soft); }
p { margin: 6px 0; }
code, pre, textarea, input, select { font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
code { padding: 1px 4px; border-radius: 4px; background: var(--code); overflow-wrap: anywhere; }
pre { margin: 8px 0; padding: 10px 12px; border: 1px solid var(--line); border-radius: 7px; background: var(--code); overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
.operation { margin: 8px 0; padding: 0 16px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.operation[open] { padding-bottom: 16px; }
.operation > summary { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 12px; padding: 10px 0; cursor: pointer; list-style: none; }
.operation > summary::-webkit-details-marker { display: none; }
.method { min-width: 64px; font-weight: 700; font-size: 13px; color: var(--accent); }
.method.post, .method.put, .method.patch { color: var(--good); } .method.delete { color: var(--bad); }
.path { background: none; font-size: 14px; font-weight: 600; } .what { color: var(--soft); }
.status { display: flex; gap: 12px; } .status > b { min-width: 36px; } .status > div { flex: 1; min-width: 0; }
.status p { margin: 0; }
.good { color: var(--good); } .bad { color: var(--bad); }
.shape { margin: 4px 0; } .shape > summary { cursor: pointer; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; } th, td { padding: 3px 10px 3px 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; font-size: 13.5px; }
th { font-weight: 600; white-space: nowrap; } th b, label b { color: var(--bad); }
.depth1 { padding-left: 18px; } .depth2 { padding-left: 36px; } .depth3 { padding-left: 54px; } .depth4 { padding-left: 72px; }
.field { display: grid; grid-template-columns: 190px 1fr; gap: 2px 12px; align-items: center; margin: 8px 0; }
.field label { font-weight: 600; overflow-wrap: anywhere; } .field .hint { grid-column: 2; margin: 0; font-size: 13px; }
input, select, textarea { width: 100%; padding: 6px 9px; border: 1px solid var(--line); border-radius: 7px; background: var(--back); color: var(--text); }
textarea { resize: vertical; }
button { padding: 6px 18px; border: 1px solid var(--line); border-radius: 7px; background: var(--card); color: var(--text); font: inherit; cursor: pointer; }
button.primary { background: #3f5bd9; border-color: #3f5bd9; color: #fff; font-weight: 600; }
.actions { display: flex; gap: 8px; } .answer-head { font-weight: 600; } .answer-text { max-height: 420px; } .headers { color: var(--soft); }
@media (max-width: 620px) { .field { grid-template-columns: 1fr; } .field .hint { grid-column: 1; } }
`
