import type { Call } from './drive'
import { compare, type Figures, type Measured, measure, sameAnswers, side } from './measure'
import * as calls from './requests'
import { resetPassword, revocation, signOut, takePermission } from './revocation'
import { deleteFavourite, peakMemory, signIns, startTime } from './singles'
import { atLeast, atMost, type Target } from './target'
import { PASSWORD } from './users'
import type { Workplace } from './workplace'

export type Row = {
  /** For --only; rows may share one. */
  name: string
  what: string
  targets: readonly Target[]
  run(workplace: Workplace): Promise<Measured>
}
type Run = Row['run']

const CONNECTIONS = 32
const FEW_CONNECTIONS = 8
const HUNDRED_THOUSAND = 100_000
const MILLION = 1_000_000

const sortKeys = ['-id', ...['title', 'year', 'runtime', 'release_date'].flatMap((key) => [key, `-${key}`])]

const row = (name: string, what: string, run: Run, ...targets: Target[]): Row => ({
  name,
  what,
  run,
  targets,
})

/** In this order: rows that change movies come after those that read them. */
// biome-ignore format: a table, one row a line
export const rows: readonly Row[] = [
  row('health', 'GET /v1/healthcheck', againstFloor(calls.healthcheck), atLeast(0.5)),
  row('get', 'GET /v1/movies/:id', againstFloor(calls.oneMovie, { same: true }), atLeast(0.9)),
  row('key', 'GET /v1/movies/:id with a key ÷ with a token', againstItself(calls.oneMovieWithKey, calls.oneMovie, 'rate'), atLeast(0.95)),
  row('omdb', 'GET /omdb?t=<title> ÷ GET /v1/movies/:id', againstItself(calls.omdbTitle, calls.oneMovie, 'rate'), atLeast(0.5, HUNDRED_THOUSAND)),
  row('omdb', 'GET /omdb?s=<word> ÷ GET /v1/movies?title=<word>', againstItself(calls.omdbSearch, calls.titleSearch, 'rate'), atLeast(1, HUNDRED_THOUSAND)),
  row('list', 'GET /v1/movies', againstFloor(calls.firstPage, { same: true }), atLeast(40, HUNDRED_THOUSAND), atLeast(350, MILLION)),
  row('tenth', 'GET /v1/movies ÷ its own rate at a tenth of the movies', againstTenth(calls.firstPage), atLeast(0.8, MILLION)),
  row('search', 'GET /v1/movies?title=&genres=&sort=-year', againstFloor(calls.search, { same: true }), atLeast(3, HUNDRED_THOUSAND), atLeast(7, MILLION)),
  ...[5, 50].map((writes) => row('search', `the same, ${writes} writes a second`, againstFloor(calls.search, { writes }))),
  ...[0, 5, 50].map((writes) => row('varied', `GET /v1/movies?sort=&page=&page_size= at random, ${writes} writes a second`, againstFloor(calls.varied, { writes }))),
  ...[0, 5, 50].map((writes) => row('hot', `128 lists again and again, ${writes} writes a second`, againstFloor(calls.hot, { writes }), ...(writes === 0 ? [atLeast(20, HUNDRED_THOUSAND), atLeast(80, MILLION)] : []))),
  row('q', 'GET /v1/movies?q=<as people type>, p50 of 8 clients', waitingTime(calls.typed, 'p50Ms'), atMost(5, HUNDRED_THOUSAND), atMost(20, MILLION)),
  row('q', 'the same, p99', waitingTime(calls.typed, 'p99Ms'), atMost(30, HUNDRED_THOUSAND), atMost(120, MILLION)),
  row('genres', 'GET /v1/genres ÷ GET /v1/movies', againstItself(calls.genres, calls.firstPage, 'rate')),
  row('unchanged', 'GET /v1/movies/:id, 304 ÷ 200', againstItself(calls.unchangedMovie, calls.oneMovie, 'rate')),
  row('deep', 'GET /v1/movies?page=<80 % deep>', againstFloor(calls.deepPage, { same: true }), atLeast(20, MILLION)),
  ...sortKeys.map((key) => row('sort', `time of GET /v1/movies?sort=${key} ÷ sort=id`, againstItself(calls.sortedBy(key), calls.sortedBy('id'), 'time'), atMost(3, MILLION))),
  row('favourites', 'GET /v1/users/me/favourites (10,000) ÷ GET /v1/movies', againstItself(calls.favourites, calls.firstPage, 'rate'), atLeast(0.2)),
  row('signin', 'POST /v1/tokens/authentication ÷ Bun.password.verify', (workplace) => signIns(workplace, calls.signInWith(PASSWORD), CONNECTIONS), atLeast(0.9)),
  row('start', 'start to first 200, over bun printing a line', startTime, atMost(150)),
  row('revocation', 'sign-out until another instance refuses the token', revocation(signOut), atMost(1000)),
  row('revocation', 'reset password until another instance refuses the token', revocation(resetPassword), atMost(1000)),
  row('revocation', 'taken permission until another instance refuses', revocation(takePermission), atMost(1000)),
  row('revocation', 'the same, and notifications can\'t arrive', revocation(takePermission, { isCut: true }), atMost(1000)),
  row('create', 'POST /v1/movies', againstFloor(calls.newMovie), atLeast(0.7)),
  row('change', 'PATCH /v1/movies/:id', againstFloor(calls.changedMovie), atLeast(0.6)),
  row('before', 'GET /v1/movies/:id ÷ the executable of --before', againstEarlier(calls.oneMovie), atLeast(0.97)),
  row('before', 'POST /v1/movies ÷ the executable of --before', againstEarlier(calls.newMovie), atLeast(0.97)),
  row('before', 'PATCH /v1/movies/:id ÷ the executable of --before', againstEarlier(calls.changedMovie), atLeast(0.97)),
  row('memory', 'peak memory of a fresh process', (workplace) => peakMemory(workplace, [calls.oneMovie, calls.firstPage, calls.search, calls.newMovie], CONNECTIONS), atMost(2)),
  row('delete', 'deleting a movie that is a favourite of 200,000 users', deleteFavourite, atMost(5)),
]

/** The same calls to Redlight and the floor; `same` also compares the responses, and `writes` a second happen meanwhile. */
function againstFloor(toMake: calls.Calls, { same = false, writes = 0 } = {}): Run {
  return async (workplace) => {
    const { redlight, floor, sample } = workplace
    if (same) await sameAnswers(redlight, floor, toMake(sample))
    const more = { calls: toMake, writesPerSecond: writes === 0 ? undefined : writes }
    const subject = { label: 'redlight', server: redlight, ...more }
    const reference = { label: 'floor', server: floor, ...more }
    return compare(workplace, subject, reference, { connections: CONNECTIONS, measure: 'rate' })
  }
}

/** What a change costs: this executable and an earlier one on the same database. */
function againstEarlier(toMake: calls.Calls): Run {
  return async (workplace) => {
    const subject = { label: 'now', server: workplace.redlight, calls: toMake }
    const reference = { label: 'before', server: await workplace.earlier(), calls: toMake }
    return compare(workplace, subject, reference, { connections: CONNECTIONS, measure: 'rate' })
  }
}

function againstTenth(toMake: calls.Calls): Run {
  return async (workplace) => {
    const subject = { label: 'all movies', server: workplace.redlight, calls: toMake }
    const reference = { label: 'a tenth', server: await workplace.tenth(), calls: toMake }
    return compare(workplace, subject, reference, { connections: CONNECTIONS, measure: 'rate' })
  }
}

/** Two kinds of calls to Redlight; times are measured with one client. */
function againstItself(one: calls.Calls, other: calls.Calls, measure: 'rate' | 'time'): Run {
  return (workplace) => {
    const connections = measure === 'rate' ? CONNECTIONS : 1
    const party = (toMake: calls.Calls) => ({
      label: labelOf(toMake(workplace.sample)),
      server: workplace.redlight,
      calls: toMake,
    })
    return compare(workplace, party(one), party(other), { connections, measure })
  }
}

/** How long a few clients wait who each ask something else. */
function waitingTime(toMake: calls.Calls, figure: 'p50Ms' | 'p99Ms'): Run {
  return async (workplace) => {
    const { redlight, rounds, progress } = workplace
    const party = { label: 'redlight', server: redlight, calls: toMake }
    await measure(workplace, party, FEW_CONNECTIONS)
    const figures: Figures[] = []
    for (let round = 1; round <= rounds; round++) {
      progress(`round ${round} of ${rounds}`)
      figures.push(await measure(workplace, party, FEW_CONNECTIONS))
    }
    const subject = side(party.label, figures)
    return { value: subject.median[figure], unit: 'ms', subject }
  }
}

const labelOf = ([first]: Call[]) => first?.path.replace(/^\/v1/, '') ?? ''
