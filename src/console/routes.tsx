import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import { Account } from './account'
import { List } from './list'
import { Activate, ConfirmEmail, ResetPassword } from './mail-pages'
import { Movie } from './movie'
import { AddMovie, EditMovie } from './movie-form'
import { Operator } from './operator-loader'
import { ForgotPassword, Register } from './register'
import { arrivals, navigate, pathname, url } from './router'
import { session } from './session'
import { SignIn } from './sign-in'
import { site } from './site'
import { NotFound } from './states'

type Route = readonly [RegExp, (id: string) => ComponentChildren]

/** Pages that mails link to. */
const accountPages: readonly Route[] = [
  [/^\/activate$/, () => <Activate />],
  [/^\/reset-password$/, () => <ResetPassword />],
  [/^\/confirm-email$/, () => <ConfirmEmail />],
]
const entrance: readonly Route[] = [
  [/^\/sign-in$/, () => <SignIn />],
  [/^\/register$/, () => <Register />],
  [/^\/forgot-password$/, () => <ForgotPassword />],
]
/** Open to anyone with ANONYMOUS_READ. */
const movies: readonly Route[] = [
  [/^\/$/, () => <List key="all" own="all" title="Movies" />],
  [/^\/movies\/([1-9]\d{0,18})$/, (id) => <Movie key={id} id={id} />],
]
const inside: readonly Route[] = [
  [/^\/favourites$/, () => <List key="favourites" own="favourites" title="Favourites" />],
  [/^\/my-movies$/, () => <List key="mine" own="mine" title="My movies" />],
  // Leaving the form for the same page empties it.
  [/^\/movies\/new$/, () => <AddMovie key={arrivals.value} />],
  [/^\/movies\/([1-9]\d{0,18})\/edit$/, (id) => <EditMovie key={id} id={id} />],
  [/^\/account$/, () => <Account />],
  [/^\/admin\/(?:users(?:\/[1-9]\d{0,18})?|movies|audit|figures)$/, () => <Operator key={pathname()} />],
]

/** Whether it is a page of the console; anything else is left to the browser. */
export const hasPage = (path: string) =>
  [accountPages, ...(site.hasCatalogue ? [entrance, movies, inside] : [])]
    .flat()
    .some(([pattern]) => pattern.test(path))

function find(routes: readonly Route[]): ComponentChildren {
  for (const [pattern, page] of routes) {
    const match = pattern.exec(pathname())
    if (match) return page(match[1] ?? '')
  }
  return undefined
}

export function View() {
  const open = find(accountPages) ?? (site.hasCatalogue ? find(entrance) : undefined)
  if (open !== undefined) return open
  const page = site.hasCatalogue ? (find(movies) ?? find(inside)) : undefined
  if (page === undefined) return <NotFound what="Page" />
  if (session.value !== undefined) return page
  return site.isOpen && find(movies) !== undefined ? page : <SignInFirst />
}

function SignInFirst() {
  useEffect(() => {
    const to = pathname() + url.peek().search
    navigate(to === '/' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(to)}`, { replace: true })
  }, [])
  return null
}
