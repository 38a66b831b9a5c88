import { useEffect, useRef } from 'preact/hooks'
import { keepFocus } from './focus'
import { LeaveDialog } from './leave-dialog'
import { Notice } from './notices'
import { isOffline } from './offline'
import { navigate, pathname, to } from './router'
import { View } from './routes'
import { SearchBox } from './search-box'
import { can, end, session } from './session'
import { site } from './site'

export function App() {
  const content = useRef<HTMLElement>(null)
  useEffect(() => (content.current ? keepFocus(content.current) : undefined), [])
  const isInside = site.hasCatalogue && (session.value !== undefined || site.isOpen)
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="bar">
        <a class="brand" href={to(site.hasCatalogue ? '/' : '/docs')} aria-label={`${site.name}, home`}>
          <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
            <circle cx="16" cy="16" r="14" />
            <path d="M13 10l10 6-10 6z" />
          </svg>
          <span>{site.name}</span>
        </a>
        {isInside && <SearchBox />}
        {isInside && <Main />}
      </header>
      {isOffline.value && (
        <p class="offline" role="alert">
          {site.name} can’t be reached. What you see may be out of date.
        </p>
      )}
      <main ref={content} id="main" tabIndex={-1}>
        <View />
      </main>
      <LeaveDialog />
      <Notice />
    </>
  )
}

function Link({ page, children, under }: { page: string; children: string; under?: string }) {
  const here = pathname()
  const isHere = here === page || (under !== undefined && here.startsWith(under))
  return (
    <a href={to(page)} aria-current={isHere ? 'page' : undefined}>
      {children}
    </a>
  )
}

function Main() {
  if (session.value === undefined)
    return (
      <nav aria-label="Main">
        <Link page="/">Movies</Link>
        <Link page="/sign-in">Sign in</Link>
      </nav>
    )
  return (
    <nav aria-label="Main">
      <Link page="/">Movies</Link>
      <Link page="/favourites">Favourites</Link>
      <Link page="/my-movies">My movies</Link>
      {can('movies:write') && <Link page="/movies/new">Add a movie</Link>}
      {can('admin') && (
        <Link page="/admin/users" under="/admin/">
          Operator
        </Link>
      )}
      <Link page="/account">Account</Link>
      <button type="button" class="quiet" onClick={signOut}>
        Sign out
      </button>
    </nav>
  )
}

function signOut() {
  navigate('/sign-in', { first: () => end({ asked: true }) })
}
