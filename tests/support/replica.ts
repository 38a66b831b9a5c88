import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import postgres from 'postgres'
import { ADMIN_PASSWORD, controlOf, freePort, own, type PostgresServer, runAsServer } from './postgres'
import { scratchFolder } from './scratch'

/** A streaming replica of a private PostgreSQL. */
export async function startReplica(primary: PostgresServer) {
  const folder = await mkdtemp(join(scratchFolder, 'redlight-replica-'))
  if (process.getuid?.() === 0) await own(folder)
  const port = await freePort()
  const admin = { user: 'admin', password: ADMIN_PASSWORD }
  await runAsServer('pg_basebackup', [
    ...['--pgdata', join(folder, 'data'), '--dbname', primary.url('postgres', admin), '--checkpoint', 'fast'],
    ...['--write-recovery-conf', '--wal-method', 'stream', '--no-sync'],
  ])
  // Reconnects to a recovered primary at once instead of every 5 s.
  const options = `-p ${port} -c wal_retrieve_retry_interval=100`
  const { start, stop, freeze, thaw, dispose } = controlOf(folder, '--options', options)
  const admit = () => postgres(primary.url('redlight', { ...admin, port }), { max: 1, onnotice: () => {} })
  async function order(statement: string) {
    const sql = admit()
    try {
      return await sql.unsafe(statement)
    } finally {
      await sql.end()
    }
  }
  await start()
  return {
    url: primary.url('redlight', { port }),
    name: `127.0.0.1:${port}`,
    order,
    start,
    kill: () => stop('immediate'),
    freeze,
    thaw,
    dispose,
  }
}
