import type { AllowedMethods } from './error-responses'

type Route = { readonly method: string; readonly path: string }

/** The methods of each path, for 405, `Allow` and OPTIONS. */
export function createRouteTable(routes: readonly Route[]): AllowedMethods {
  const methods = new Map<string, Set<string>>()
  for (const { method, path } of routes) methods.set(path, (methods.get(path) ?? new Set()).add(method))
  const patterns = [...methods].map(([path, known]) => ({ pattern: patternOf(path), allow: allowOf(known) }))
  const fixed = fixedPaths(routes)
  return (path) => {
    const known = fixed.has(path) ? methods.get(path) : undefined
    return known ? allowOf(known) : patterns.find(({ pattern }) => pattern.test(path))?.allow
  }
}

/** Paths without a parameter. */
export const fixedPaths = (routes: readonly Route[]): ReadonlySet<string> =>
  new Set(routes.map(({ path }) => path).filter((path) => !path.includes(':')))

const patternOf = (path: string) =>
  new RegExp(
    `^${path
      .split('/')
      .map((part) => (part.startsWith(':') ? '[^/]+' : RegExp.escape(part)))
      .join('/')}$`,
  )

const allowOf = (methods: ReadonlySet<string>) =>
  [...methods, ...(methods.has('GET') ? ['HEAD'] : []), 'OPTIONS'].sort().join(', ')
