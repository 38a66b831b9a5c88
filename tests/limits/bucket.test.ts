import { describe, expect, test } from 'bun:test'
import { Failure } from '../../src/errors'
import { addLimitHeaders, createBucket } from '../../src/limits/bucket'
import { createLimiter } from '../../src/limits/rate-limit'
import { limits } from '../support/limits'

describe('a bucket', () => {
  const refusalOf = (take: () => unknown): Failure | undefined => {
    try {
      take()
    } catch (error) {
      if (error instanceof Failure) return error
      throw error
    }
  }
  const setUp = (quota: number, periodMs: number, burst: number) => {
    const clock = { now: 1e6 }
    const bucket = createBucket({ name: 'test', quota, periodMs, burst }, () => clock.now)
    const passes = (key = 'a') => refusalOf(() => bucket.take(key)) === undefined
    return {
      clock,
      bucket,
      passes,
      run: (times: number) => Array.from({ length: times }, () => passes()).filter(Boolean).length,
    }
  }

  test('is refilled evenly, and never holds more than the burst', () => {
    const { clock, bucket, run } = setUp(20, 1000, 40)
    expect(run(100)).toBe(40)
    clock.now += 49
    expect(run(10)).toBe(0)
    expect(refusalOf(() => bucket.take('a'))?.detail.headers).toMatchObject({ 'Retry-After': '1' })
    clock.now += 1
    expect(run(10)).toBe(1)
    clock.now += 500
    expect(run(100)).toBe(10)
    clock.now += 1e9
    expect(run(100)).toBe(40)
  })

  test('passes after the time in Retry-After, and not much earlier', () => {
    const { clock, bucket, passes, run } = setUp(3, 60_000, 3)
    expect(run(5)).toBe(3)
    const seconds = Number(refusalOf(() => bucket.take('a'))?.detail.headers?.['Retry-After'])
    expect(seconds).toBe(20)
    clock.now += seconds * 1000 - 1
    expect(passes()).toBe(false)
    clock.now += 1
    expect(passes()).toBe(true)
    expect(passes()).toBe(false)
  })

  test('says the same at any time', () => {
    for (let i = 0; i < 1000; i++) {
      const { clock, bucket } = setUp(0.01, 1000, 2)
      clock.now += i * Math.PI
      const headers = new Headers()
      addLimitHeaders(headers, bucket.take('a'), 0)
      expect(headers.get('ratelimit')).toBe('"test";r=1;t=100')
      bucket.take('a')
      const refusal = refusalOf(() => bucket.take('a'))
      expect(refusal?.detail.headers).toMatchObject({ 'Retry-After': '100' })
    }
  })

  test('returns a turn that is taken back, even after refusals', () => {
    const { bucket, run } = setUp(3, 60_000, 3)
    const taken = bucket.take('a')
    expect(run(5)).toBe(2)
    taken.takeBack()
    expect(run(5)).toBe(1)
  })

  test('with a quota of 0 does not limit', () => {
    expect(setUp(0, 1000, 0).run(1000)).toBe(1000)
    const off = createLimiter(limits({ burst: 0 }), () => 0)
    for (let i = 0; i < 1000; i++) {
      off.request('a')
      off.signIn('a')
      off.registration('a@example.com', 'a')
      off.failedSignIn('alice', 'a')
      off.mail('a@example.com', 'a')
    }
  })

  test('stays bounded with any number of addresses, and keeps the latest', () => {
    const { passes } = setUp(1, 3_600_000, 1)
    for (let i = 0; i < 200_000; i++) expect(passes(`key ${i}`)).toBe(true)
    expect(passes('key 199999')).toBe(false)
    expect(passes('key 150000')).toBe(false)
    // Forgotten, because memory would grow with every address.
    expect(passes('key 0')).toBe(true)
    expect(passes('key 50000')).toBe(true)
  })
})
