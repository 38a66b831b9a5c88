import { clockOf } from '../times'
import type { Point } from './figures'
import { Table } from './parts'
import { numberOf } from './plot'

const EVERY_POINTS = 30

/** The plots as numbers, for people who can't see them: a row for every five minutes. */
export function PointTable({ points, every }: { points: readonly Point[]; every: number }) {
  const rows = points.filter((_, index) => (points.length - 1 - index) % EVERY_POINTS === 0).toReversed()
  return (
    <details class="numbers">
      <summary>The plots as numbers</summary>
      <Table
        label="The last hour"
        columns={[
          'At',
          'Requests a second',
          'p50 ms',
          'p99 ms',
          'Errors a second',
          'Memory MB',
          'Database',
          'Mails',
        ]}
        isBusy={false}
      >
        {rows.map((point) => {
          const { requests, database } = point
          const all = requests['2xx'] + requests['3xx'] + requests['4xx'] + requests['5xx']
          return (
            <tr key={point.at}>
              <th scope="row">{clockOf(point.at)}</th>
              <td>{numberOf(all / every)}</td>
              <td>{numberOf(point.p50_ms)}</td>
              <td>{numberOf(point.p99_ms)}</td>
              <td>{numberOf(requests['5xx'] / every)}</td>
              <td>{numberOf(point.memory_mb)}</td>
              <td>{`${database.busy} busy, ${database.waiting} waiting`}</td>
              <td>{numberOf(point.mails_waiting)}</td>
            </tr>
          )
        })}
      </Table>
    </details>
  )
}
