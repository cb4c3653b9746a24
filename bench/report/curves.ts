/** The curves of a run, as charts that chart.js draws. */
import type { Result } from '../support/result.ts'
import { groupBy } from './group-by.ts'

const COLOURS = ['#0969da', '#bc4c00', '#1a7f37', '#8250df', '#cf222e', '#6e7781']
/** An axis that spans more than this is logarithmic. */
const WIDE = 50

export interface Chart {
  readonly title: string
  /** What `new Chart(canvas, …)` takes. */
  readonly config: object
}

export function curves(results: readonly Result[]): Chart[] {
  return [...groupBy(results.filter(isPoint), (r) => `${r.bench}: ${r.point.curve}`)].map(
    ([title, points]) => ({ title, config: chart(points) }),
  )
}

type PointResult = Result & Required<Pick<Result, 'point'>>

function isPoint(result: Result): result is PointResult {
  return result.point !== undefined
}

function chart(points: readonly PointResult[]): object {
  const { unit, point } = points[0]!
  const switches = [...groupBy(points, (r) => r.peer ?? 'ours')]
  const xs = points.map((r) => r.point.x)
  const type = Math.min(...xs) > 0 && Math.max(...xs) / Math.min(...xs) > WIDE ? 'logarithmic' : 'linear'
  return {
    type: 'line',
    data: {
      datasets: switches.map(([label, of], i) => ({
        label,
        data: of.map((r) => ({ x: r.point.x, y: r.value })).sort((a, b) => a.x - b.x),
        borderColor: COLOURS[i % COLOURS.length],
        backgroundColor: COLOURS[i % COLOURS.length],
      })),
    },
    options: {
      animation: false,
      plugins: { legend: { display: switches.length > 1 } },
      scales: {
        x: { type, title: { display: true, text: point.axis } },
        y: { beginAtZero: true, title: { display: true, text: unit } },
      },
    },
  }
}
