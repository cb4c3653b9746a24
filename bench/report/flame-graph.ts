/** A profile as a flame graph: one HTML page that needs nothing else. A click on a function makes it the whole width. */
import type { Profiler } from 'node:inspector'

/** Share of the whole below which a function is left out. */
const LEAST = 0.0005
const ROW = 20

interface Frame {
  readonly name: string
  /** Where it stands in the source. */
  readonly at: string
  /** Samples in which it was running, or called what was. */
  total: number
  readonly callees: Map<string, Frame>
}

/** Calls of one function by one other count together, wherever in it they stand. */
function callTree({ nodes }: Profiler.Profile): Frame {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const add = (node: Profiler.ProfileNode, into: Map<string, Frame>): number => {
    const { functionName, url, lineNumber } = node.callFrame
    const at = url === '' ? '' : `${url.slice(url.lastIndexOf('/') + 1)}:${lineNumber + 1}`
    const key = `${functionName} ${at}`
    const frame = into.get(key) ?? { name: functionName || '(anonymous)', at, total: 0, callees: new Map() }
    into.set(key, frame)
    let total = node.hitCount ?? 0
    for (const child of node.children ?? []) total += add(byId.get(child)!, frame.callees)
    frame.total += total
    return total
  }
  const roots = new Map<string, Frame>()
  add(nodes[0]!, roots)
  return [...roots.values()][0]!
}

/** [name, tooltip, row, left, width], the latter two as shares of the whole. */
type Box = readonly [string, string, number, number, number]

function boxes(frame: Frame, row: number, left: number, whole: number): Box[] {
  const width = frame.total / whole
  if (width < LEAST) return []
  const tooltip = `${frame.name} ${frame.at}: ${(width * 100).toFixed(1)} %`
  const result: Box[] = [[frame.name, tooltip, row, left, width]]
  let x = left
  for (const callee of [...frame.callees.values()].sort((a, b) => b.total - a.total)) {
    result.push(...boxes(callee, row + 1, x, whole))
    x += callee.total / whole
  }
  return result
}

export function flameGraph(profile: Profiler.Profile, title: string): string {
  const root = callTree(profile)
  const all = boxes(root, 0, 0, root.total)
  const rows = 1 + Math.max(...all.map(([, , row]) => row))
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${title}</title>
<style>
body { font: 12px system-ui, sans-serif; margin: 1rem }
main { position: relative; height: ${rows * ROW}px }
div { position: absolute; height: ${ROW - 2}px; line-height: ${ROW - 2}px; overflow: hidden; white-space: nowrap;
  text-indent: 3px; border-radius: 2px; cursor: pointer; color: #000 }
</style>
<h1>${title}</h1>
<main></main>
<script>
const boxes = ${JSON.stringify(all).replaceAll('<', '\\u003c')}
const main = document.querySelector('main')
const shown = boxes.map(([name, tooltip, row, left, width], i) => {
  const box = document.createElement('div')
  box.textContent = name
  box.title = tooltip
  box.style.top = row * ${ROW} + 'px'
  box.style.background = 'hsl(' + (20 + (i * 37) % 35) + ' 85% 65%)'
  box.onclick = () => zoom(left, width)
  main.append(box)
  return box
})
function zoom(from, span) {
  boxes.forEach(([, , , left, width], i) => {
    const begin = Math.max(0, (left - from) / span)
    const end = Math.min(1, (left + width - from) / span)
    shown[i].hidden = end - begin < 1e-4
    shown[i].style.left = begin * 100 + '%'
    shown[i].style.width = (end - begin) * 100 + '%'
  })
}
zoom(0, 1)
</script>
</html>
`
}
