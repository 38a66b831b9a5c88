import { RedisClient } from 'bun'
import type { Log } from '../log'
import { after, within } from '../waiting'
import { type Bucket, MAX_DEBT_MS, paceOf, type Rate, refusal, type Taken } from './bucket'

/** More than this, and a request is better off with this instance's own count. */
const ANSWER_MS = 100
const CONNECT_MS = 1000
const RETRY_EVERY_MS = 500

// The generic cell rate algorithm, as in bucket.ts, by the one clock that all instances share: what is stored is the
// time at which the bucket is full again, and then it goes by itself.
const take = script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now) + ARGV[1]
local wait = full - now - ARGV[2]
if wait > 0.001 then return tostring(wait) end
redis.call('SET', KEYS[1], string.format('%.3f', full), 'PX', math.ceil(full - now))
return tostring(now - full)`)
const add = script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local before = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local full = math.min(before + ARGV[1], math.max(before, now + ARGV[2]))
if full > now then redis.call('SET', KEYS[1], string.format('%.3f', full), 'PX', math.ceil(full - now))
else redis.call('DEL', KEYS[1]) end
return '0'`)

type Script = { readonly text: string; readonly sha: string }
function script(text: string): Script {
  return { text, sha: new Bun.CryptoHasher('sha1').update(text).digest('hex') }
}

const noAnswer = (): never => {
  throw new Error('no answer')
}

export type OpenSharedCounts = SharedCounts & { close(): void }

/**
 * Counts in Redis or Valkey. The first answer that fails or is late ends that, for all requests at once; from then on
 * it is tried aside until it works again, so that no more than a moment is ever lost to a server that is away.
 */
export async function openSharedCounts(
  url: string,
  log: Log,
  answerMs = ANSWER_MS,
): Promise<OpenSharedCounts> {
  let client: RedisClient | undefined
  let isKnownAway = false
  let isClosed = false
  let callOffRetry = () => {}

  async function connect() {
    // Its own ways of waiting and trying again know no limit that a request could live with.
    const candidate = new RedisClient(url, {
      autoReconnect: false,
      enableOfflineQueue: false,
      connectionTimeout: CONNECT_MS,
    })
    try {
      await within(CONNECT_MS, candidate.connect(), noAnswer)
      // A server may answer, and yet not be one that can be written to.
      await within(CONNECT_MS, evaluate(candidate, take, 'redlight:probe', [1, 1]), noAnswer)
      if (isClosed) return candidate.close()
      candidate.onclose = (error) => lose(candidate, error)
      client = candidate
      isKnownAway = false
      log.info('limits are counted together with the other instances')
    } catch (error) {
      candidate.close()
      missing(error)
    }
  }

  function lose(lost: RedisClient, error: unknown) {
    if (client !== lost) return
    client = undefined
    lost.close()
    missing(error)
  }

  function missing(error: unknown) {
    if (isClosed) return
    callOffRetry = after(RETRY_EVERY_MS, connect)
    if (!isKnownAway)
      log.warn(
        'limits are counted by this instance alone: see that Redis runs, and that REDIS_URL is right',
        {
          reason: reasonOf(error),
        },
      )
    isKnownAway = true
  }

  async function ask(script: Script, key: string, values: number[]): Promise<number | undefined> {
    const asked = client
    if (asked === undefined) return undefined
    try {
      return await within(answerMs, evaluate(asked, script, key, values), noAnswer)
    } catch (error) {
      lose(asked, error)
    }
  }

  await connect()
  return {
    isThere: () => client !== undefined,
    take: (key, intervalMs, depthMs) => ask(take, key, [intervalMs, depthMs]),
    async add(key, milliseconds, mostMs) {
      await ask(add, key, [milliseconds, mostMs])
    },
    close() {
      isClosed = true
      callOffRetry()
      client?.close()
      client = undefined
    },
  }
}

async function evaluate(client: RedisClient, { sha, text }: Script, key: string, values: number[]) {
  const rest = ['1', key, ...values.map(String)]
  const answer: unknown = await client.send('EVALSHA', [sha, ...rest]).catch((error: Error) => {
    if (!error.message.startsWith('NOSCRIPT')) throw error
    return client.send('EVAL', [text, ...rest])
  })
  return Number(answer)
}

/** The first word of an error of the server's, such as OOM or READONLY; the rest may quote what it was sent. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : ''
  return /^[A-Z]{3,}(?= )/.exec(message)?.[0] ?? message
}

/** A place where several instances count together; see shared-counts. */
export type SharedCounts = {
  isThere(): boolean
  /**
   * How long the key has to wait; when it needn't, and has taken its turn, how long until its bucket is full again, as a
   * negative number; undefined when there is no answer.
   */
  take(key: string, intervalMs: number, depthMs: number): Promise<number | undefined>
  /** Makes the time until the bucket is full again so much longer, `mostMs` at most, or shorter. */
  add(key: string, milliseconds: number, mostMs: number): Promise<void>
}

/** The bucket that all instances share; for as long as it is out of reach, this instance's own. */
export function shareBucket(rate: Rate, own: Bucket, counts: SharedCounts): Bucket {
  const { intervalMs, depthMs } = paceOf(rate)

  async function takeTogether(key: string): Promise<Taken> {
    const shared = `redlight:${rate.name}:${anonymous(key)}`
    const waitMs = await counts.take(shared, intervalMs, depthMs)
    if (waitMs === undefined) return own.take(key)
    if (waitMs > 0) throw refusal(rate, waitMs)
    const add = (milliseconds: number) => counts.add(shared, milliseconds, depthMs + MAX_DEBT_MS)
    return {
      rate,
      fullInMs: -waitMs,
      takeBack: () => add(-intervalMs),
      charge: (units) => add(units * intervalMs),
    }
  }

  return { take: (key) => (rate.quota === 0 || !counts.isThere() ? own.take(key) : takeTogether(key)) }
}

/** Names, mail addresses and network addresses are nobody's business there, and have no length limit. */
const anonymous = (key: string) => new Bun.CryptoHasher('sha256').update(key).digest('base64url').slice(0, 22)
