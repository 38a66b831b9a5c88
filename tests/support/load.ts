import { aMovie } from './server'
import { until } from './until'

// A few clients that keep reading and writing, and check every response: correct, or a proper 503.

const PAUSE_MS = 15
/** Far above the limit, so that a hanging request is noticed and doesn't hang the test. */
const HANGS_AFTER_MS = 20_000

export type Load = ReturnType<typeof startLoad>
type Answer = { status: number; headers: Headers; body: unknown; begunAt: number }

export function startLoad(url: URL, token: string, { connection = 'keep-alive' } = {}) {
  const acknowledged = new Map<number, string>()
  const unknown = new Set<string>()
  const wrong: string[] = []
  let mayFailFrom = Number.POSITIVE_INFINITY
  const byStatus: Record<string, number> = {}
  const refusals: { begunAt: number; endedAt: number }[] = []
  const begunAtOfSuccesses: number[] = []
  let slowestMs = 0
  let running = true
  let titles = 0

  async function request(method: string, path: string, body?: unknown): Promise<Answer | undefined> {
    const begunAt = performance.now()
    try {
      const response = await fetch(new URL(path, url), {
        method,
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', connection },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(HANGS_AFTER_MS),
      })
      const { status, headers } = response
      const answer = { status, headers, body: JSON.parse(await response.text()), begunAt }
      byStatus[status] = (byStatus[status] ?? 0) + 1
      if (status === 503) judgeRefusal(answer)
      else begunAtOfSuccesses.push(begunAt)
      return answer
    } catch (error) {
      byStatus.failed = (byStatus.failed ?? 0) + 1
      if (begunAt < mayFailFrom) wrong.push(`${method} ${path}: ${error}`)
    } finally {
      slowestMs = Math.max(slowestMs, performance.now() - begunAt)
    }
  }

  function judgeRefusal({ headers, body, begunAt }: Answer) {
    refusals.push({ begunAt, endedAt: performance.now() })
    const isEnvelope = isRecord(body) && typeof body.error === 'string' && Object.keys(body).length === 1
    if (!isEnvelope || !/^\d+$/.test(headers.get('retry-after') ?? '')) wrong.push(`a bare 503: ${body}`)
  }

  function judge(name: string, answer: Answer | undefined, isRight: (answer: Answer) => boolean) {
    if (answer === undefined || answer.status === 503 || isRight(answer)) return
    wrong.push(`${name}: ${answer.status} ${JSON.stringify(answer.body).slice(0, 200)}`)
  }

  const client = {
    async list() {
      const atLeast = acknowledged.size
      const answer = await request('GET', '/v1/movies?page_size=5&sort=-id')
      judge('list', answer, ({ status, body }) => {
        const total = at(body, 'metadata', 'total_records')
        return status === 200 && typeof total === 'number' && total >= atLeast
      })
    },
    async byId() {
      const [id, title] = [...acknowledged].at(-1) ?? []
      if (id === undefined) return
      const answer = await request('GET', `/v1/movies/${id}`)
      judge('by id', answer, ({ status, body }) => status === 200 && at(body, 'movie', 'title') === title)
    },
    async write() {
      const title = `Movie ${++titles} ${crypto.randomUUID()}`
      const answer = await request('POST', '/v1/movies', aMovie(title))
      judge('write', answer, ({ status, body }) => status === 201 && at(body, 'movie', 'title') === title)
      const id = at(answer?.body, 'movie', 'id')
      if (answer?.status === 201 && typeof id === 'number') acknowledged.set(id, title)
      else unknown.add(title)
    },
  }

  async function repeat(work: () => Promise<void>) {
    while (running) {
      await work()
      await Bun.sleep(PAUSE_MS)
    }
  }
  const { list, byId, write } = client
  const clients = [list, byId, byId, write, write].map(repeat)

  return {
    acknowledged,
    /** Responses that were neither correct nor a proper 503. */
    wrong,
    byStatus,
    slowestMs: () => slowestMs,
    refusals: () => refusals.length,
    /** Start of the last request that was refused. */
    lastRefusalBegunAt: () => Math.max(0, ...refusals.map(({ begunAt }) => begunAt)),
    /** Whether as much has been served since the last refusal as a calm machine serves in a second. */
    isServedAgain() {
      const since = Math.max(0, ...refusals.map(({ endedAt }) => endedAt))
      return begunAtOfSuccesses.filter((begunAt) => begunAt > since).length > 100
    },
    /** Resolves once this many requests have been refused from now on, and some time has passed. */
    async isRefused(times: number, atLeastMs: number) {
      const before = refusals.length
      await Bun.sleep(atLeastMs)
      await until(() => refusals.length >= before + times)
    },
    /** Resolves once several writes have been acknowledged. */
    async isUnderWay() {
      const atLeast = acknowledged.size + 3 + Math.floor(5 * Math.random())
      await until(() => acknowledged.size >= atLeast)
    },
    /** Requests that begin from now on aren't checked. */
    mayFailFromNow() {
      mayFailFrom = performance.now()
    },
    /** Nor are those in flight. */
    mayFail() {
      mayFailFrom = 0
    },
    async stop() {
      running = false
      await Promise.all(clients)
    },
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

function at(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>((part, key) => (isRecord(part) ? part[key] : undefined), value)
}
