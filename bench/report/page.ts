/** A run as one HTML page that needs nothing else: no server, no network. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { nameMachine } from '../support/machine.ts'
import { type Result, short } from '../support/result.ts'
import type { Run } from '../support/run.ts'
import { judge, VERDICT_HEAD, words } from '../targets.ts'
import { curves } from './curves.ts'
import { groupBy } from './group-by.ts'

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif }
body { max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .15rem .8rem .15rem 0; vertical-align: top }
tr.figure th { padding-top: .8rem }
tr.first td { border-top: 1px solid #8884 }
.bar { background: #0969da; height: .8rem; min-width: 1px }
.other { background: #8a8a8a }
.range, .why { color: #888 }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(26rem, 1fr)); gap: 1.5rem }
figure { margin: 0 } figcaption { font-weight: 600 }
`

export function reportPage(run: Run): string {
  const charts = curves(run.results)
  const canvases = charts.map(
    ({ title }) => `<figure><figcaption>${text(title)}</figcaption><canvas></canvas></figure>`,
  )
  const missing = run.results.filter((r) => r.bench === 'left out')
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>vswitchd-ts, measured</title>
<style>${STYLE}</style>
<h1>vswitchd-ts, measured</h1>
<p>${text(nameMachine(run.machine))}${run.quick ? ' · a quick run' : ''}. Medians of rounds in which all switches take turns;
in brackets the least and the most; ratios are ours to theirs, round by round.</p>
${missing.map((r) => `<p class="why">Left out: ${text(r.peer ?? '')}: ${text(r.note ?? '')}</p>`).join('\n')}
<h2>Targets</h2>
${table(
  VERDICT_HEAD,
  judge(run.results).map((verdict) => words(verdict)),
)}
<h2>Curves</h2>
<div class="charts">${canvases.join('\n')}</div>
<h2>Side by side</h2>
${bars(run.results)}
<h2>In memory</h2>
${table(
  ['', 'figure', '', ''],
  run.results
    .filter((r) => r.peer === undefined && r.point === undefined)
    .map((r) => [r.bench, r.figure, `${short(r.value)} ${r.unit}`, r.note ?? '']),
)}
<script>${chartLibrary()}</script>
<script>
const configs = ${inScript(charts.map((chart) => chart.config))}
document.querySelectorAll('canvas').forEach((canvas, i) => new Chart(canvas, configs[i]))
</script>
</html>
`
}

/** Figures that several switches have: a bar for each switch. */
function bars(results: readonly Result[]): string {
  const compared = results.filter(
    (r) => r.peer !== undefined && r.point === undefined && Number.isFinite(r.value),
  )
  const figures = [...groupBy(compared, (r) => `${r.bench}: ${r.figure}`)]
  const rows = figures.flatMap(([title, of]) => {
    const most = Math.max(...of.map((r) => r.value))
    const better = of[0]!.cost ? 'less is better' : 'more is better'
    const head = `<tr class="figure"><th colspan="4">${text(title)} <span class="why">${better}</span></th></tr>`
    return [head, ...of.map((r) => bar(r, most))]
  })
  return `<table>${rows.join('\n')}</table>`
}

function bar(r: Result, most: number): string {
  const width = most > 0 ? (100 * r.value) / most : 0
  const kind = r.ratios !== undefined && Object.keys(r.ratios).length > 0 ? 'bar' : 'bar other'
  const range = r.min === undefined || r.max === undefined ? '' : `(${short(r.min)} – ${short(r.max)})`
  const ratios = Object.entries(r.ratios ?? {}).map(([peer, ratio]) => `${short(ratio)}× ${peer}`)
  return `<tr><td>${text(r.peer ?? '')}</td>
<td style="width:40%"><div class="${kind}" style="width:${width.toFixed(1)}%"></div></td>
<td>${short(r.value)} ${text(r.unit)} <span class="range">${range}</span></td>
<td class="why">${ratios.map(text).join('<br>')}</td></tr>`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: string, row: readonly string[]) =>
    row.map((cell) => `<${tag}>${text(cell)}</${tag}>`).join('')
  return `<table><tr>${cells('th', head)}</tr>
${rows.map((row, i) => `<tr${row[0] === rows[i - 1]?.[0] ? '' : ' class="first"'}>${cells('td', row)}</tr>`).join('\n')}</table>`
}

function chartLibrary(): string {
  const require = createRequire(import.meta.url)
  const file = new URL('chart.umd.min.js', `file://${require.resolve('chart.js')}`)
  return readFileSync(file, 'utf8').replaceAll('</script', '<\\/script')
}

/** JSON that does not end the script it stands in. */
function inScript(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c')
}

function text(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
