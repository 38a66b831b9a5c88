import { afterEach, describe, expect, test } from 'bun:test'
import { createGate, type Gate, type GateLimits } from '../../src/gate'
import { withDeadline } from '../../src/waiting'

const TIME_MS = 60_000
const refusal = () => new Error('refused')
const gateOf = (limits: Partial<GateLimits>) =>
  createGate({ concurrency: 10, maxWaiting: 100, maxWaitMs: TIME_MS, refusal, ...limits })

// Who still waits at the end of a test would be refused in the middle of another file's.
const emptied: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const empty of emptied.splice(0)) await empty()
})

/** Enters as a client; records the order of admission, and how to leave. */
function visitors(gate: Gate) {
  const admitted: string[] = []
  const leave: (() => void)[] = []
  emptied.push(async () => {
    while (gate.busy + gate.waiting > 0) await leaveFirst()
  })
  async function leaveFirst() {
    leave.shift()?.()
    await settled()
  }
  return {
    admitted,
    leave,
    leaveFirst,
    enter(client: string | undefined, name: string, kind?: 'read' | 'write') {
      const bill = { client, databaseMs: 0 }
      return withDeadline(
        TIME_MS,
        async () => {
          leave.push(await gate.enter(kind))
          admitted.push(name)
        },
        bill,
      )
    },
  }
}
const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('waiting clients', () => {
  test('are served in turn by client', async () => {
    const { admitted, enter, leaveFirst } = visitors(gateOf({ concurrency: 1 }))
    const all = ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1'].map((name) => enter(name[0], name))
    await settled()
    for (const _ of all) await leaveFirst()
    await Promise.all(all)
    expect(admitted).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4'])
  })

  test('get a place that a client beyond its share is refused', async () => {
    const gate = gateOf({ concurrency: 4, perClient: { all: 2, writes: 1 } })
    const { admitted, enter, leaveFirst } = visitors(gate)
    for (let i = 1; i <= 5; i++) enter('a', `a${i}`)
    await settled()
    expect(admitted).toEqual(['a1', 'a2'])
    enter('b', 'b1')
    enter(undefined, 'own work')
    await settled()
    expect(admitted).toEqual(['a1', 'a2', 'b1', 'own work'])
    expect([gate.busy, gate.waiting]).toEqual([4, 3])
    await leaveFirst()
    expect(admitted.at(-1)).toBe('a3')
  })

  test('that read do not wait for writes, of others or their own', async () => {
    const gate = gateOf({ concurrency: 4, writes: 2, perClient: { all: 3, writes: 1 } })
    const { admitted, leave, enter } = visitors(gate)
    for (const client of ['a', 'b', 'c'])
      for (const i of [1, 2]) enter(client, `${client} writes ${i}`, 'write')
    enter('a', 'a reads')
    enter('d', 'd reads')
    await settled()
    expect(admitted).toEqual(['a writes 1', 'b writes 1', 'a reads', 'd reads'])
    // The end of a read makes no room for a write.
    leave[2]?.()
    await settled()
    expect(admitted).toHaveLength(4)
    leave[0]?.()
    await settled()
    expect(admitted.at(-1)).toBe('a writes 2')
  })

  test('can’t fill the queue alone', async () => {
    const gate = gateOf({ concurrency: 1, maxWaiting: 4, perClient: { all: 1, writes: 1 } })
    const { admitted, enter, leaveFirst } = visitors(gate)
    const outcomes = Promise.allSettled([1, 2, 3, 4, 5].map((i) => enter('a', `a${i}`)))
    enter('b', 'b1')
    for (let i = 0; i < 4; i++) await leaveFirst()
    const statuses = (await outcomes).map(({ status }) => status)
    expect(statuses).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'])
    expect(admitted).toContain('b1')
  })

  test('leave nothing behind', async () => {
    const gate = gateOf({ concurrency: 2, perClient: { all: 1, writes: 1 } })
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        withDeadline(TIME_MS, () => gate.run(settled, i % 3 === 0 ? 'write' : 'read'), {
          client: `client ${i % 7}`,
          databaseMs: 0,
        }),
      ),
    )
    expect([gate.busy, gate.waiting]).toEqual([0, 0])
  })
})
