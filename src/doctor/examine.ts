import { type Config, ConfigError, unknownVariable } from '../config/config'
import type { Log } from '../log'
import { checkDatabase } from './database'
import { checkEncryption } from './encryption'
import { checkDisk, checkModes } from './files'
import { checkWithin, type Finding, fail, ok, warn } from './finding'
import { checkMail } from './mail'
import { checkLimits, checkMetrics, checkProxies, checkSecrets } from './settings'

const TIMEOUT_MS = 8000
const REPAIR_TIMEOUT_MS = 600_000

type Examination = {
  readonly readConfig: () => Config
  readonly unknownVariables: () => readonly string[]
  readonly settingFiles: () => readonly string[]
  readonly repairs: boolean
  readonly testAddress: string | undefined
  readonly log: Log
}

/** Everything that is checked on a host, as one list. */
export async function examine(examination: Examination): Promise<Finding[]> {
  const { unknownVariables, settingFiles, repairs, testAddress, log } = examination
  const unknown = unknownVariables().map((name) =>
    warn('settings', unknownVariable(name), 'correct its name, or unset it'),
  )
  const config = read(examination)
  if (Array.isArray(config)) return [...config, ...unknown]
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
    checkModes(config.database, settingFiles()),
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
function read({ readConfig }: Examination): Config | Finding[] {
  try {
    return readConfig()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const fix = 'correct it; the rest is looked at then'
    return error.problems.map((problem) => fail('settings', problem, fix))
  }
}
