import { RedisClient } from 'bun'
import type { Log } from '../log'
import type { SharedCounts } from './shared-bucket'

/** More than this, and a request is better off with this instance's own count. */
const ANSWER_MS = 100
const OWN_DELAY_MS = 10
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
return '0'`)
const takeBack = script(`
local full = redis.call('GET', KEYS[1])
if full then redis.call('SET', KEYS[1], string.format('%.3f', full - ARGV[1]), 'KEEPTTL') end
return '0'`)

type Script = { readonly text: string; readonly sha: string }
function script(text: string): Script {
  return { text, sha: new Bun.CryptoHasher('sha1').update(text).digest('hex') }
}

export type OpenSharedCounts = SharedCounts & { close(): void }

/**
 * Counts in Redis or Valkey. The first answer that fails or is late ends that, for all requests at once; from then on
 * it is tried aside until it works again, so that no more than a moment is ever lost to a server that is away.
 */
export async function openSharedCounts(url: string, log: Log): Promise<OpenSharedCounts> {
  let client: RedisClient | undefined
  let isKnownAway = false
  let isClosed = false
  let retry: Timer | undefined

  async function connect() {
    // Its own ways of waiting and trying again know no limit that a request could live with.
    const candidate = new RedisClient(url, {
      autoReconnect: false,
      enableOfflineQueue: false,
      connectionTimeout: CONNECT_MS,
    })
    try {
      await within(CONNECT_MS, candidate.connect())
      // A server may answer, and yet not be one that can be written to.
      await within(CONNECT_MS, evaluate(candidate, take, 'redlight:probe', [1, 1]))
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
    retry = setTimeout(connect, RETRY_EVERY_MS)
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
      return await within(ANSWER_MS, evaluate(asked, script, key, values))
    } catch (error) {
      lose(asked, error)
    }
  }

  await connect()
  return {
    isThere: () => client !== undefined,
    take: (key, intervalMs, depthMs) => ask(take, key, [intervalMs, depthMs]),
    async takeBack(key, intervalMs) {
      await ask(takeBack, key, [intervalMs])
    },
    close() {
      isClosed = true
      clearTimeout(retry)
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

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const endsAt = performance.now() + milliseconds
  let timer = setTimeout(() => {
    // A timer that is late itself tells that it was us who had no time; then the answer has as long again.
    const again = performance.now() - endsAt > OWN_DELAY_MS ? milliseconds : 0
    timer = setTimeout(() => late.reject(new Error('no answer')), again)
  }, milliseconds)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** The first word of an error of the server's, such as OOM or READONLY; the rest may quote what it was sent. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : ''
  return /^[A-Z]{3,}(?= )/.exec(message)?.[0] ?? message
}
