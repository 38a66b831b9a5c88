import type { ComponentChildren } from 'preact'
import { explain } from './api'
import { Heading } from './heading'
import { to } from './router'

/** Replaces what couldn't be read; with a title if the page has no other heading. */
export const Failed = ({ title, error, retry }: { title?: string; error: unknown; retry: () => void }) => (
  <div class="empty">
    {title !== undefined && <Heading title={title} />}
    <p role="alert">{explain(error)}</p>
    <button type="button" onClick={retry}>
      Try again
    </button>
  </div>
)

export const Empty = ({ text, children }: { text: string; children?: ComponentChildren }) => (
  <div class="empty">
    <p>{text}</p>
    {children}
  </div>
)

/** With a title if the page has no other heading; it isn't shown, as another may soon replace it. */
export const Loading = ({ title, what }: { title?: string; what: string }) => (
  <>
    {title !== undefined && (
      <div class="visually-hidden">
        <Heading title={title} />
      </div>
    )}
    <p class="loading" role="status">
      Loading {what}
    </p>
  </>
)

export const LoadingMovie = () => (
  <div class="movie">
    <div class="skeleton large" />
    <Loading title="Movie" what="the movie" />
  </div>
)

export const NotFound = ({ what }: { what: 'Movie' | 'Page' | 'User' }) => (
  <div class="empty">
    <Heading title={`${what} not found`} />
    <p>{what === 'Page' ? 'There is nothing at this address.' : 'It may have been deleted.'}</p>
    <a class="button" href={to('/')}>
      Browse movies
    </a>
  </div>
)

export const NotAllowed = ({ title }: { title: string }) => (
  <div class="empty">
    <Heading title={title} />
    <p>You aren’t allowed to do that.</p>
    <a class="button" href={to('/')}>
      Browse movies
    </a>
  </div>
)
