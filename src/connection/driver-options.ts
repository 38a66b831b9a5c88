import type { Options } from 'postgres'
import { type Connection, connectionOf, hostName } from './address'
import { readTls } from './tls'

type DriverOptions = Options<Record<string, never>>

/** The name that a restore looks for, followed by the operator's own. */
export const APPLICATION_NAME = 'redlight'

/** A connection string as driver options: in a URL, the driver would send unknown parameters to the server. */
export function driverOptions(url: string): DriverOptions {
  const connection = connectionOf(url)
  const { user, password, database, connectTimeoutSeconds, keepAliveSeconds, options } = connection
  return {
    ...placeOf(connection),
    database,
    ...(user !== undefined && { username: user }),
    ...(password !== undefined && { password }),
    ssl: encryptionOf(connection),
    ...(connectTimeoutSeconds !== undefined && { connect_timeout: connectTimeoutSeconds }),
    ...(keepAliveSeconds !== undefined && { keep_alive: keepAliveSeconds }),
    ...targetOf(connection),
    connection: {
      application_name: applicationName(connection.applicationName),
      ...(options !== undefined && { options }),
    },
  }
}

function placeOf({ hosts, socketPath }: Connection): DriverOptions {
  if (socketPath !== undefined) return { path: socketPath }
  return hosts.length === 0 ? {} : { host: hosts.map(hostName).join() }
}

function encryptionOf({ tls }: Connection): DriverOptions['ssl'] {
  if (tls === undefined) return false
  if (tls.mode === 'prefer') return 'prefer'
  const { options, problem } = readTls(tls)
  if (problem !== undefined) throw new Error(`the database's address ${problem}`)
  return options
}

function targetOf({ targetSessionAttrs: target }: Connection): DriverOptions {
  switch (target) {
    case 'read-write':
    case 'read-only':
    case 'primary':
    case 'standby':
    case 'prefer-standby':
      return { target_session_attrs: target }
  }
  return {}
}

const applicationName = (own = APPLICATION_NAME) =>
  own.startsWith(APPLICATION_NAME) ? own : `${APPLICATION_NAME} ${own}`
