import { RedisClient } from 'bun'
import type { Log } from '../log'
import { after, within } from '../waiting'
import type { SharedCounts } from './shared-bucket'

/** Beyond this, a request is better off with this instance's own count. */
const ANSWER_MS = 100
const CONNECT_MS = 1000
const RETRY_EVERY_MS = 500

// The generic cell rate algorithm, as in bucket.ts, on Redis's clock, which all instances share. The stored
// value is the time at which the bucket is full again; it expires then.
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

/** Counts in Redis or Valkey. */
export async function openSharedCounts(
  url: string,
  log: Log,
  answerMs = ANSWER_MS,
): Promise<OpenSharedCounts> {
  const connection = await openConnection(url, log)

  async function ask(script: Script, key: string, values: number[]): Promise<number | undefined> {
    const client = connection.client()
    if (client === undefined) return undefined
    try {
      return await within(answerMs, evaluate(client, script, key, values), noAnswer)
    } catch (error) {
      connection.lose(client, error)
    }
  }

  return {
    isThere: () => connection.client() !== undefined,
    take: (key, intervalMs, depthMs) => ask(take, key, [intervalMs, depthMs]),
    async add(key, milliseconds, mostMs) {
      await ask(add, key, [milliseconds, mostMs])
    },
    close: connection.close,
  }
}

/**
 * The first failed or late answer ends the connection for all requests at once; it is retried in the
 * background, so a missing server costs only a moment.
 */
async function openConnection(url: string, log: Log) {
  let client: RedisClient | undefined
  let isKnownAway = false
  let isClosed = false
  let callOffRetry = () => {}

  async function connect() {
    // Bun's reconnect and offline queue have no usable timeout.
    const candidate = new RedisClient(url, {
      autoReconnect: false,
      enableOfflineQueue: false,
      connectionTimeout: CONNECT_MS,
    })
    try {
      await within(CONNECT_MS, candidate.connect(), noAnswer)
      // A server may answer without accepting writes.
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
        'limits are counted by this instance alone: check that Redis is running and that REDIS_URL is right',
        { reason: reasonOf(error) },
      )
    isKnownAway = true
  }

  await connect()
  return {
    client: () => client,
    lose,
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

/** First word of a server error, such as OOM or READONLY; the rest may quote the request. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : ''
  return /^[A-Z]{3,}(?= )/.exec(message)?.[0] ?? message
}
