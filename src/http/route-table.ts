import type { AllowedMethods } from './error-responses'

type Route = { readonly method: string; readonly path: string }

/** The methods of each path, for 405, `Allow` and OPTIONS. */
export function createRouteTable(routes: readonly Route[]): AllowedMethods {
  const methods = new Map<string, Set<string>>()
  for (const { method, path } of routes) methods.set(path, (methods.get(path) ?? new Set()).add(method))
  const patterns = [...methods].map(([path, known]) => ({ pattern: patternOf(path), allow: allowOf(known) }))
  return (path) => patterns.find(({ pattern }) => pattern.test(path))?.allow
}

const patternOf = (path: string) =>
  new RegExp(
    `^${path
      .split('/')
      .map((part) => (part.startsWith(':') ? '[^/]+' : RegExp.escape(part)))
      .join('/')}$`,
  )

const allowOf = (methods: ReadonlySet<string>) =>
  [...methods, ...(methods.has('GET') ? ['HEAD'] : []), 'OPTIONS'].sort().join(', ')
