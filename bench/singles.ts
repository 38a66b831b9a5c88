import { join } from 'node:path'
import { createPasswords } from '../src/access/passwords'
import { ask } from './drive'
import { compareSides, type Figures, inTurn, type Measured, measure, median, side } from './measure'
import { run } from './processes'
import type { Calls } from './requests'
import { memoryMb, type Server } from './servers'
import { PASSWORD, userOf } from './users'
import type { Workplace } from './workplace'

// Rows that do more than load two servers.

const STARTS = 7
const FANS = 200_000

/** Sign-ins compared with bare hashing, as many hashes at once as Redlight allows. */
export async function signIns(workplace: Workplace, calls: Calls, connections: number): Promise<Measured> {
  const { redlight, seconds, passwordHash } = workplace
  const atOnce = createPasswords().limits.maxHashesAtOnce
  const script = join(import.meta.dir, 'bare-verify.ts')
  const bare = [process.execPath, script, passwordHash, PASSWORD, String(atOnce), String(seconds)]
  const sides = await inTurn(
    workplace,
    () => measure(workplace, { label: 'redlight', server: redlight, calls }, connections),
    async (): Promise<Figures> => JSON.parse(await run(bare, import.meta.dir)),
  )
  return compareSides(side('redlight', sides.subject), side('bare verify', sides.reference), 'rate')
}

/** Time from the executable's start to its first 200, minus that of `bun` printing a line. */
export async function startTime(workplace: Workplace): Promise<Measured> {
  const { freshRedlight, progress } = workplace
  const { subject, reference } = await inTurn(
    { rounds: Math.max(STARTS, workplace.rounds), progress },
    async () => {
      const server = await freshRedlight()
      await server.stop()
      return server.startedMs
    },
    async () => {
      const startedAt = performance.now()
      await run([process.execPath, '--eval', 'console.log("a line")'], import.meta.dir)
      return performance.now() - startedAt
    },
  )
  const [own, least] = [median(subject), median(reference)]
  return { value: own - least, unit: 'ms', note: `redlight ${own.toFixed(0)} ms, bun ${least.toFixed(0)} ms` }
}

/** Peak memory of a fresh Redlight divided by that of a fresh floor, under the same loads. */
export async function peakMemory(
  workplace: Workplace,
  loads: readonly Calls[],
  connections: number,
): Promise<Measured> {
  const peakOf = async (fresh: () => Promise<Server>) => {
    const server = await fresh()
    let peakMb = memoryMb(server.pid, 'VmHWM')
    for (const calls of loads) {
      const figures = await measure(workplace, { label: server.label, server, calls }, connections)
      peakMb = Math.max(peakMb, figures.peakMemoryMb)
    }
    await server.stop()
    return peakMb
  }
  const { subject, reference } = await inTurn(
    workplace,
    () => peakOf(workplace.freshRedlight),
    () => peakOf(workplace.freshFloor),
  )
  const [own, least] = [median(subject), median(reference)]
  return {
    value: own / least,
    unit: '×',
    note: `redlight ${own.toFixed(0)} MB, floor ${least.toFixed(0)} MB`,
  }
}

/** Response time of DELETE for a favourite of many users; a different movie in each round. */
export async function deleteFavourite(workplace: Workplace): Promise<Measured> {
  const { sql, redlight, rounds, progress } = workplace
  progress(`${FANS} more users`)
  await sql`
    insert into users (name, email, password_hash, activated)
    select 'Fan ' || n, 'fan' || n || '@example.com', 'none', true from generate_series(1, ${FANS}::int) as n`
  const seconds: number[] = []
  for (let id = 1; id <= rounds; id++) {
    progress(`round ${id} of ${rounds}`)
    const { count } = await sql`
      insert into favourites (user_id, movie_id) select id, ${id} from users where email like 'fan%'`
    if (count !== FANS) throw new Error(`${count} favourites were made, and not ${FANS}`)
    await sql`vacuum analyze favourites`
    await sql`checkpoint`
    const startedAt = performance.now()
    await ask(redlight, { method: 'DELETE', path: `/v1/movies/${id}`, user: userOf(id) })
    seconds.push((performance.now() - startedAt) / 1000)
  }
  return { value: median(seconds), unit: 's' }
}
