/** How a bill looks: in the light and in the dark, on a phone and on paper. Texts have a contrast of at least 4.5 and
 * graphics of at least 3 with what they stand on (WCAG 2.2, 1.4.3 and 1.4.11). */
export const style = `
:root{color-scheme:light dark;--paper:#fffefb;--raised:#f6f3ec;--ink:#1d2126;--soft:#565c64;--line:#d9d4c8;--edge:#878278;--accent:#14507e;--more:#a5400d;--less:#1f6b45;--c0:#14507e;--c1:#a5400d;--c2:#1f6b45;--c3:#6f3f8c;--c4:#5d636b}
@media (prefers-color-scheme:dark){:root{--paper:#15181c;--raised:#1e2227;--ink:#eceae4;--soft:#aab0b8;--line:#343a42;--edge:#7c838c;--accent:#8cbdea;--more:#f0a673;--less:#7fcfa6;--c0:#6ea9dc;--c1:#e5935a;--c2:#68bf93;--c3:#bf93d8;--c4:#979ea7}}
*{box-sizing:border-box}
html{font-size:100%;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums lining-nums}
main,header,footer{max-width:66rem;margin:0 auto;padding:0 clamp(1rem,4vw,3rem)}
header{padding-top:clamp(1.5rem,4vw,3.5rem)}
h1,h2,h3,h4,.amount{font-family:"Iowan Old Style","Palatino Linotype",Palatino,"Book Antiqua",Georgia,"DejaVu Serif",serif;font-weight:600;line-height:1.2;text-wrap:balance}
h1{font-size:clamp(1.35rem,3.5vw,1.75rem);margin:.25rem 0 0}
h2,h3,h4{margin:0 0 .25rem}
h2{font-size:1.3rem}h3{font-size:1.12rem;margin-top:1.25rem}h4{font-size:1.02rem}
p{margin:.25rem 0 .75rem;max-width:44rem}
bdi{overflow-wrap:anywhere}
a{color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:2px}
.brand{display:flex;flex-wrap:wrap;gap:.25rem 1rem;justify-content:space-between;margin:0;max-width:none;color:var(--soft);font-size:.9rem}
.brand b{color:var(--ink);letter-spacing:.02em}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.summary{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,19rem),1fr));gap:1rem 3rem;align-items:end;padding:1.25rem 0 1.5rem;border-bottom:1px solid var(--line)}
.summary p{margin:0}
.amount{font-size:clamp(2.4rem,8vw,4rem);letter-spacing:-.015em;font-variant-numeric:lining-nums;overflow-wrap:anywhere}
.delta{font-size:1.05rem}
.delta b{white-space:nowrap}
.soft{color:var(--soft);font-size:.9rem}
.state{display:inline-flex;gap:.5rem;align-items:center;border:1px solid var(--edge);border-radius:2rem;padding:.1rem .75rem;font-size:.9rem}
section{padding:1.75rem 0 .5rem}section *+h2,section *+h3{margin-top:1.5rem}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:0 3.5rem}
.scroll{overflow-x:auto;margin:.5rem 0 1rem}
table{border-collapse:separate;border-spacing:0;width:100%;font-size:.94rem}
th,td{padding:.3rem .5rem;text-align:right;vertical-align:baseline;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{padding-left:0}th:last-child,td:last-child{padding-right:0}
thead th{font-weight:500;color:var(--soft);font-size:.85rem;border-bottom:1px solid var(--edge)}
tbody th{font-weight:500}
tfoot th,tfoot td{font-weight:650;border-bottom:0;border-top:1px solid var(--edge)}
.left{text-align:left}
tbody .left{white-space:normal;min-width:7rem}
td.wide{width:36%;min-width:8rem}
.beside{display:flex;gap:.6rem;align-items:center;justify-content:flex-end}.beside svg{flex:1 1 4rem;min-width:3rem}.beside span{flex:none;min-width:3.6rem}.sums .beside span{min-width:5.5rem}
svg{display:block;overflow:visible}
svg.bar,svg.spark{min-width:4rem}
.plot{margin:.75rem 0 .25rem;padding-left:4.9rem}
.plot text{fill:var(--soft);font-size:12px}
.grid{stroke:var(--line)}.axis{stroke:var(--edge)}.gap{stroke:var(--paper);stroke-width:2}
.track{fill:var(--raised);stroke:var(--edge);stroke-width:.5}.fill{fill:var(--c0)}
.more{fill:var(--more)}.less{fill:var(--less)}
.s0{fill:var(--c0)}.s1{fill:url(#pattern-1)}.s2{fill:url(#pattern-2)}.s3{fill:url(#pattern-3)}.s4{fill:url(#pattern-4)}
.pattern-1 rect{fill:var(--c1)}.pattern-2 rect{fill:var(--c2)}.pattern-3 rect{fill:var(--c3)}.pattern-4 rect{fill:var(--c4)}
.pattern-1 path,.pattern-3 path,.pattern-4 path{stroke:var(--paper);stroke-width:1.2;fill:none}.pattern-2 circle{fill:var(--paper)}
.spark{width:6rem;height:1.5rem}.spark polyline{fill:none;stroke:var(--c0);stroke-width:1.6;vector-effect:non-scaling-stroke;stroke-linejoin:round}
.legend{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;margin:.25rem 0 .5rem;padding:0;font-size:.9rem}
.legend li{display:flex;gap:.45rem;align-items:center}
.named{display:flex;gap:.5rem;align-items:baseline}.named svg{flex:none}
details{margin:.25rem 0}
svg.spark{margin-left:auto}
summary{cursor:pointer;min-height:24px;display:inline-flex;align-items:center;gap:.35rem;color:var(--accent);font-size:.9rem}
summary::-webkit-details-marker{display:none}
summary::before{content:"";border:solid currentColor;border-width:0 1.5px 1.5px 0;width:.4rem;height:.4rem;transform:rotate(-45deg);margin:0 .15rem}
details[open]>summary::before{transform:rotate(45deg)}
.receipt{display:inline-block;margin:0 0 0 .6rem}.receipt[open]{display:block;margin:0}.receipt summary{font-size:.78rem;font-weight:400}
.summary .receipt,.soft+.receipt{display:block;margin:0}
code{font:.82rem/1.5 ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere;white-space:pre-wrap}
.receipt code{display:block;background:var(--raised);border-left:3px solid var(--edge);padding:.35rem .6rem;margin:.1rem 0 .4rem;font-weight:400;text-align:left;min-width:12rem}
.warn{border-left:4px solid var(--more);background:var(--raised);padding:.6rem 1rem;max-width:44rem;margin:.5rem 0 1rem}
.warn p{margin:0}.warn ul{margin:.35rem 0 0;padding-left:1.2rem}
footer{padding-top:1.5rem;padding-bottom:3rem;color:var(--soft);font-size:.88rem}
footer p{max-width:none}
@media (max-width:40rem){.scroll tr>:first-child{position:sticky;left:0;background:var(--paper);max-width:11rem}td.wide{min-width:6rem}th,td{padding-left:.35rem;padding-right:.35rem}}
@media (prefers-contrast:more){:root{--soft:var(--ink);--line:var(--edge)}}
@media print{@page{size:A4;margin:16mm 14mm}
:root{color-scheme:light;--paper:#fff;--raised:#fff;--ink:#000;--soft:#444;--line:#ccc;--edge:#777;--accent:#14507e;--more:#a5400d;--less:#1f6b45;--c0:#14507e;--c1:#a5400d;--c2:#1f6b45;--c3:#6f3f8c;--c4:#5d636b}
html{font-size:9.5pt}main,header,footer{max-width:none;padding-left:0;padding-right:0}header{padding-top:0}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
.amount{font-size:30pt}section{padding-top:10pt}.receipt,.summary .receipt,summary{display:none}.scroll{overflow:visible}
.pair{grid-template-columns:1fr 1fr;gap:0 9mm}
tr,svg,.warn,.summary{break-inside:avoid}h2,h3,h4{break-after:avoid}thead{display:table-header-group}
.fresh{break-before:page}}
`
