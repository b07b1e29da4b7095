/** The style sheet. Contrasts are those of WCAG 2.2 (4.5 for text, 3 for shapes), light and dark; axe checks them. */
export const STYLE = `
:root{color-scheme:light dark;--paper:#fbfaf7;--ink:#1d1b16;--faint:#5f5a4e;--line:#d9d4c7;--good:#1a7340;--bad:#b3261e;--warn:#8a5a00;--good-paper:#e3f3e8;--bad-paper:#fbe6e3;--open-paper:#efece4}
@media(prefers-color-scheme:dark){:root{--paper:#171612;--ink:#eeeae0;--faint:#aca693;--line:#3b382f;--good:#5ccb8a;--bad:#ff8a80;--warn:#e0aa44;--good-paper:#15301f;--bad-paper:#431a17;--open-paper:#26241d}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:60rem;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1rem;margin:0 0 .75rem;color:var(--faint);font-weight:600}
h2{font-size:1rem;margin:1.75rem 0 .5rem}
p{margin:.35rem 0}
.sentence{font-size:1.35rem;font-weight:600;line-height:1.3;padding:.9rem 1rem;border-radius:.5rem;border-left:.4rem solid var(--faint);background:var(--open-paper);margin:0}
.sentence.good{border-color:var(--good);background:var(--good-paper)}
.sentence.bad{border-color:var(--bad);background:var(--bad-paper)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:.75rem 0}
dt{color:var(--faint)}dd{margin:0}
.gone{color:var(--bad);font-weight:600}
button{font:inherit;color:var(--ink);background:var(--open-paper);border:1px solid var(--faint);border-radius:.4rem;padding:.45rem 1rem;min-height:2.75rem;cursor:pointer}
:focus-visible{outline:3px solid var(--good);outline-offset:2px}
a{color:inherit}
ol{list-style:none;margin:0;padding:0}
li{display:grid;grid-template-columns:8.5rem 7.5rem 1fr;gap:.75rem;padding:.35rem .75rem;border-left:.4rem solid var(--line);border-bottom:1px solid var(--line)}
li .name{font-weight:600}
li.ok{border-left-color:var(--good)}li.ok .state{color:var(--good)}
li.bad{border-left-color:var(--bad);background:var(--bad-paper)}li.bad .state{color:var(--bad);font-weight:700}
li.behind,li.off,li.unknown{color:var(--faint)}
svg{display:block;width:100%}
.strip{height:2.5rem}
.strip .fine{fill:var(--good)}.strip .away{fill:var(--bad)}.strip .cloud{fill:var(--warn)}.strip .unseen{fill:var(--faint)}
.chart{max-width:34rem}
.chart text{fill:var(--faint);font-size:11px}.chart .y{text-anchor:end}.chart .x{text-anchor:middle}.chart .x:last-of-type{text-anchor:end}
.axis{stroke:var(--line);fill:none}
polyline{fill:none;stroke-width:1.5}
polyline.mean{stroke:var(--good)}circle.mean{fill:var(--good)}
polyline.max{stroke:var(--warn);stroke-dasharray:4 3}circle.max{fill:var(--warn)}
table{border-collapse:collapse;width:100%}
th,td{overflow-wrap:break-word;text-align:left;vertical-align:top;padding:.35rem .5rem .35rem 0;border-bottom:1px solid var(--line)}
th{color:var(--faint);font-weight:600}
footer{margin-top:1.75rem;color:var(--faint);font-size:.9rem}
@media(max-width:36rem){body{padding:.6rem}li{grid-template-columns:1fr 1fr;gap:0 .75rem}li .words{grid-column:1/-1}li .words:empty{display:none}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.4rem}th,td{font-size:.9rem}.sentence{font-size:1.15rem}}
`.trim();
