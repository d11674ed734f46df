// The page's style sheet and icon, as strings, so that the build needs no further files.

export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#3f5bd9"/><path d="M7 12h18M12.5 12v6c0 3-.8 4.6-2.5 6M19.5 12v8.5c0 2.2 1 3.5 3.5 3.5" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"/></svg>`

export const STYLE = `:root {
  color-scheme: light dark;
  --back: #f5f6f9; --card: #fff; --line: #dfe2ea; --text: #1b2030; --soft: #5b6478; --accent: #3450c8;
  --good: #12703c; --busy: #8a5300; --bad: #b3261e; --rest: #5b6478; --hover: #eef0f6; --code: #fbfbfd;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #12151d; --card: #1b1f2a; --line: #2f3545; --text: #e8eaf2; --soft: #a0a8bc; --accent: #93a7ff;
    --good: #6fd39a; --busy: #f0b860; --bad: #ff9a92; --rest: #a0a8bc; --hover: #262c3a; --code: #161a23;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
a { color: var(--accent); text-underline-offset: 3px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.top { display: flex; justify-content: space-between; align-items: center; padding: 12px 28px; background: var(--card); border-bottom: 1px solid var(--line); }
.brand { display: flex; align-items: center; gap: 10px; color: inherit; font-weight: 650; font-size: 17px; text-decoration: none; }
main { max-width: 1180px; margin: 0 auto; padding: 28px; }
h1 { margin: 0; font-size: 24px; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 28px 0 4px; font-size: 17px; }
.heading { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 16px; margin-bottom: 18px; }
.heading p { margin: 0; color: var(--soft); }
.heading .actions { margin-left: auto; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; white-space: nowrap; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td { padding: 10px 12px; text-align: left; border-bottom: 1px solid var(--line); }
tbody tr:last-child > * { border-bottom: 0; }
tbody tr:hover { background: var(--hover); }
thead th { color: var(--soft); font-size: 13px; font-weight: 600; }
tbody th { font-weight: 620; }
th small { margin-left: 4px; color: var(--soft); font-weight: 400; }
.number { text-align: right; }
.links a + a { margin-left: 8px; }
.state { display: inline-flex; align-items: center; gap: 8px; font-weight: 600; }
.state::before { content: ""; width: 9px; height: 9px; border-radius: 50%; background: currentColor; }
.state.good { color: var(--good); } .state.busy { color: var(--busy); } .state.bad { color: var(--bad); } .state.rest { color: var(--rest); }
.actions { display: flex; gap: 6px; }
td.actions { display: table-cell; }
td.actions form { display: inline-block; margin-right: 6px; }
form { margin: 0; }
button, .button { display: inline-block; padding: 5px 12px; border: 1px solid var(--line); border-radius: 7px; background: var(--card); color: var(--text); font: inherit; font-size: 14px; line-height: 1.4; text-decoration: none; cursor: pointer; }
button:hover, .button:hover { background: var(--hover); border-color: var(--soft); }
button:disabled { opacity: .42; cursor: default; background: var(--card); border-color: var(--line); }
button.quiet { border-color: transparent; color: var(--soft); }
button.primary { width: 100%; margin-top: 18px; padding: 9px; background: #3f5bd9; border-color: #3f5bd9; color: #fff; font-weight: 600; }
.note { margin: 0 0 18px; padding: 10px 14px; background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--rest); border-radius: 7px; }
h1 + .note { margin-top: 14px; }
.note.good { border-left-color: var(--good); } .note.bad { border-left-color: var(--bad); }
.hint { margin: 10px 0; color: var(--soft); font-size: 13.5px; }
.login { max-width: 380px; margin: 8vh auto 0; padding: 28px; }
.login h1 { margin-bottom: 14px; }
.login label { display: block; margin: 12px 0 4px; font-weight: 600; }
.login input { width: 100%; padding: 9px 11px; border: 1px solid var(--line); border-radius: 7px; background: var(--back); color: var(--text); font: inherit; }
.choices { display: flex; flex-wrap: wrap; gap: 6px 28px; margin: 12px 0 0; }
.choices a + a { margin-left: 8px; }
.choices a[aria-current] { color: var(--text); font-weight: 600; text-decoration: none; }
pre { margin: 8px 0 0; padding: 14px 16px; overflow: auto; max-height: 62vh; background: var(--code); font: 13px/1.55 ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
`
