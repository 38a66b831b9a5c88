import type { Command } from 'commander'
import { type Config, ConfigError, unknownVariable } from '../config/config'
import { checkDatabase } from '../doctor/database'
import { checkEncryption } from '../doctor/encryption'
import { checkDisk, checkModes } from '../doctor/files'
import { checkWithin, type Finding, fail, ok, warn } from '../doctor/finding'
import { checkMail } from '../doctor/mail'
import { checkLimits, checkMetrics, checkProxies, checkSecrets } from '../doctor/settings'
import { OperatorError } from '../errors'
import { visible, visibleJson } from '../visible'
import { addCommand, type CommandContext } from './command'

const TIMEOUT_MS = 8000
const REPAIR_TIMEOUT_MS = 600_000

type DoctorOptions = { json?: boolean; repair?: boolean; sendTest?: string }

export function doctorCommand(program: Command, context: CommandContext) {
  addCommand(program, 'doctor', {
    summary: 'Check this host and suggest fixes',
    details: `Checks the settings, the database, its schema and clock, the mail server, the
proxy settings, the disk and who may read the secrets. It changes nothing unless
told to, runs next to the service, and works while the database is away. Exits 1
if something keeps the service from working.`,
    examples: ['redlight doctor', 'redlight doctor --send-test alice@example.com'],
  })
    .option('--json', 'print the findings as JSON')
    .option('--repair', 'correct the count of movies if it is wrong')
    .option('--send-test <address>', 'also send a mail to this address')
    .action(async ({ json, repair = false, sendTest }: DoctorOptions) => {
      const findings = await examine(context, repair, sendTest)
      const failed = findings.filter(({ status }) => status === 'fail').length
      if (json) context.printText(visibleJson({ ok: failed === 0, findings }))
      else for (const finding of findings) show(finding, context)
      if (failed > 0) throw new OperatorError(`${failed} of ${findings.length} checks failed`)
    })
}

async function examine(context: CommandContext, repairs: boolean, testAddress?: string): Promise<Finding[]> {
  const unknown = context
    .unknownVariables()
    .map((name) => warn('settings', unknownVariable(name), 'correct its name, or unset it'))
  const config = read(context)
  if (Array.isArray(config)) return [...config, ...unknown]
  using _ = context.progress('checking')
  const log = context.createLog({ logLevel: 'error' })
  const found = await Promise.all([
    checkWithin(
      repairs ? REPAIR_TIMEOUT_MS : TIMEOUT_MS,
      'database',
      () => checkDatabase(config.database, log, repairs),
      'check that it is running, and what delays it',
    ),
    checkWithin(
      TIMEOUT_MS,
      'mail',
      () => checkMail(config, testAddress),
      'check that SMTP_HOST and SMTP_PORT can be reached from here',
    ),
    checkDisk(config.database),
    checkModes(config.database, context.settingFiles()),
  ])
  const settings = unknown.length > 0 ? unknown : [ok('settings', 'all are understood')]
  return [
    ...settings,
    ...checkSecrets(config),
    ...checkProxies(config),
    ...checkEncryption(config.database),
    ...checkMetrics(config),
    ...checkLimits(config),
    ...found.flat(),
  ]
}

/** The settings, or findings for all their problems. */
function read({ readConfig }: CommandContext): Config | Finding[] {
  try {
    return readConfig()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const fix = 'correct it; the rest is looked at then'
    return error.problems.map((problem) => fail('settings', problem, fix))
  }
}

function show({ area, status, what, fix }: Finding, { printText, colours }: CommandContext) {
  const paint = { ok: colours.green, warn: colours.yellow, fail: colours.red }[status]
  printText(`${paint(status.padEnd(4))}  ${area.padEnd(8)}  ${visible(what)}`)
  if (fix !== undefined) printText(colours.dim(`${' '.repeat(16)}→ ${visible(fix)}`))
}
