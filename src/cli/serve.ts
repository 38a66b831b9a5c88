import type { Command } from 'commander'
import { type Config, redacted, unknownVariable } from '../config/config'
import { databaseUnavailable } from '../db/errors'
import { dangers } from '../doctor/settings'
import { OperatorError } from '../errors'
import { describeError } from '../log'
import { startServer } from '../server/server'
import { version } from '../server/version'
import type { Colours } from '../terminal/colours'
import { addCommand, type CommandContext } from './command'

export function serveCommand(program: Command, context: CommandContext) {
  addCommand(program, 'serve', {
    summary: 'Start the service',
    details: `Without DATABASE_URL it uses an embedded database in DATA_DIR (./data), filled
with movies to try it out. With DATABASE_URL it uses PostgreSQL 15 or newer, and
needs JWT_SECRET. It applies pending migrations first, unless
MIGRATE_ON_START=false. Ctrl-C or SIGTERM stops it.

All settings are environment variables; the README lists them.`,
    examples: [
      'redlight serve',
      'PORT=8080 redlight serve',
      'export DATABASE_URL=postgres://redlight@localhost/redlight',
      'JWT_SECRET_FILE=/etc/redlight/jwt-secret redlight serve',
    ],
  }).action(() => serve(context))
}

async function serve(context: CommandContext) {
  const { readConfig, unknownVariables, createLog, printText, colours } = context
  const config = readConfig()
  if (config.smtp === undefined && !['debug', 'info'].includes(config.logLevel))
    throw new OperatorError(
      `LOG_LEVEL=${config.logLevel} would hide the mails, which go to the log as long as SMTP_HOST is not set: set SMTP_HOST, or LOG_LEVEL=info`,
      { isFinal: true },
    )
  const log = createLog(config)
  log.debug('configuration', redacted(config))
  for (const name of unknownVariables()) log.warn(unknownVariable(name))
  for (const { what, fix } of dangers(config)) log.warn(`${what}; ${fix}`)
  const manager = context.serviceManager(log)
  manager.starting()
  const signalled = context.untilSignal()
  const starting = context.progress('starting')
  const started = await Promise.race([startServer(config, log), signalled]).finally(starting.end)
  // A signal may come while the database is opened; stopping is harmless at any moment.
  if (typeof started === 'string') return log.info('stopped before it had started', { signal: started })
  const { url, prepared, failed, stop } = started
  if (config.database.kind === 'embedded') for (const line of welcome(config, url, colours)) printText(line)
  log.info('listening', { url: url.origin, version, environment: config.environment, ...prepared })
  const stopWatching = manager.ready(url)
  const reason = await Promise.race([signalled, failed])
  if (typeof reason === 'string') log.info('stopping', { signal: reason })
  else log.error('stopping, as the embedded database failed', describeError(reason))
  manager.stopping()
  await stop()
  stopWatching()
  log.info('stopped')
  if (typeof reason !== 'string') throw databaseUnavailable(reason)
}

function welcome({ database, smtp, console }: Config, { origin }: URL, { bold, cyan }: Colours): string[] {
  const dataDir = database.kind === 'embedded' ? database.dataDir : ''
  const mail = smtp === undefined ? 'here in the log, as no mail server is set' : `through ${smtp.host}`
  return [
    '',
    `  ${bold(`Redlight ${version}`)} listens on ${cyan(origin)}`,
    '',
    `  Documentation  ${cyan(`${origin}/docs`)}`,
    `  Database       embedded, in ${dataDir}: for trying out and small use;`,
    '                 set DATABASE_URL for PostgreSQL',
    `  Mail           ${mail}`,
    '  Stop           Ctrl-C',
    '',
    ...(console.enabled ? [`  Next, open ${cyan(origin)} in a browser and create an account,`] : []),
    `  ${console.enabled ? 'or register in another terminal' : 'Next, in another terminal, register'}; a mail brings your activation token:`,
    '',
    `  curl ${origin}/v1/users --json \\`,
    `  '{"name":"Alice","email":"alice@example.com","password":"pa55word-of-alice"}'`,
    '',
  ]
}
