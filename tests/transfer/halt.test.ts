import { describe, expect, test } from 'bun:test'
import { createHalt } from '../../src/transfer/halt'

describe('a wait that a signal or a failure may end', () => {
  const never = new Promise<string>(() => {})

  test('gives the value, and does not keep it', async () => {
    const halt = createHalt(never)
    const seen: WeakRef<object>[] = []
    for (let i = 0; i < 200; i++) {
      const value = await halt.before(Promise.resolve({ rows: Array(1000).fill(i) }))
      if (typeof value === 'string') throw new Error('nothing has ended it')
      seen.push(new WeakRef(value))
    }
    // The last few may still be on the stack.
    await new Promise(setImmediate)
    Bun.gc(true)
    expect(seen.filter((value) => value.deref() !== undefined).length).toBeLessThan(20)
  })

  test('ends with the signal, also one that came before', async () => {
    const { promise: stopped, resolve } = Promise.withResolvers<string>()
    const halt = createHalt(stopped)
    const waiting = halt.before(new Promise(() => {}))
    resolve('SIGINT')
    expect(await waiting).toBe('SIGINT')
    expect(await halt.before(Promise.reject(new Error('too late')))).toBe('SIGINT')
  })

  test('ends with the first failure', async () => {
    const halt = createHalt(never)
    const waiting = halt.before(new Promise(() => {}))
    halt.fail(new Error('the first'))
    halt.fail(new Error('the second'))
    expect(waiting).rejects.toThrow('the first')
    expect(halt.before(Promise.resolve('never seen'))).rejects.toThrow('the first')
  })
})
