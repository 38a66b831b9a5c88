import { Failure } from '../errors'
import { foldCase } from '../rules/fields'
import { parametersOf } from './request-path'

// RFC 9110 section 11.4: scheme in any case, one or more spaces, a token68. Nothing else is a bearer token.
const BEARER_CREDENTIALS = /^bearer +[A-Za-z0-9._~+/-]+=*$/i
export const SCHEME = 'Bearer'
/** A name that no parameter or field has. */
export const NOWHERE = '\0'

/** The credentials of a header. The plugin knows one spelling of the scheme, and falls back to the query. */
export function bearerOf(authorization: string | undefined, fromPlugin?: string): string {
  if (authorization === undefined) throw new Failure('authenticationRequired')
  if (!BEARER_CREDENTIALS.test(authorization)) throw new Failure('invalidAuthenticationToken')
  const fromHeader = authorization.startsWith(SCHEME) ? fromPlugin : undefined
  return (fromHeader ?? authorization.slice(SCHEME.length)).trim()
}

/** Parameters by their names in lower case: of each the first value that isn't empty, trimmed. */
export function foldedParametersOf(request: Request): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>()
  for (const [name, value] of parametersOf(request)) {
    const key = foldCase(name)
    const text = value.trim()
    if (text !== '' && !parameters.has(key)) parameters.set(key, text)
  }
  return parameters
}

/** The key in the parameter `apikey`, else in X-API-Key, else in Authorization (contract section 10). */
export function keyOf(request: Request): string {
  const key = foldedParametersOf(request).get('apikey') ?? request.headers.get('x-api-key')?.trim()
  return key || bearerOf(request.headers.get('authorization') ?? undefined)
}
