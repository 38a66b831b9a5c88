import { CATALOGUE, type Detail, type NewEvent, type Subject } from './model'

type User = { readonly id: number; readonly name: string }
type Movie = { readonly id: number; readonly title: string; readonly year: number }

const ofUser = ({ id, name }: User): Subject => ({ kind: 'user', id, name })
const ofMovie = ({ id, title }: Movie): Subject => ({ kind: 'movie', id, name: title })
const named = ({ id, name }: User) => ({ id, name })

export const permissionGranted = (user: User, permission: string): NewEvent => ({
  action: 'permission.granted',
  subject: ofUser(user),
  detail: { permission },
})

export const permissionRevoked = (user: User, permission: string): NewEvent => ({
  action: 'permission.revoked',
  subject: ofUser(user),
  detail: { permission },
})

export const userActivated = (user: User): NewEvent => ({ action: 'user.activated', subject: ofUser(user) })

/** `movies` is the number that the built-in account got. */
export const userRemoved = (
  user: User,
  movies: number,
  action: 'user.removed' | 'account.removed' = 'user.removed',
): NewEvent => ({ action, subject: ofUser(user), detail: { movies } })

export const movieDeleted = (movie: Movie): NewEvent => ({
  action: 'movie.deleted',
  subject: ofMovie(movie),
  detail: { title: movie.title, year: movie.year },
})

export const movieReassigned = (movie: Movie, from: User, to: User): NewEvent => ({
  action: 'movie.reassigned',
  subject: ofMovie(movie),
  detail: { from: named(from), to: named(to) },
})

export const passwordReset = (user: User): NewEvent => ({ action: 'password.reset', subject: ofUser(user) })

export const passwordChanged = (user: User): NewEvent => ({
  action: 'password.changed',
  subject: ofUser(user),
})

export const emailChanged = (user: User, from: string | null, to: string | null): NewEvent => ({
  action: 'email.changed',
  subject: ofUser(user),
  detail: { from, to },
})

export const sessionsEnded = (user: User): NewEvent => ({ action: 'sessions.ended', subject: ofUser(user) })

/** `takenAt` is the moment that the backup holds; the trail since then is gone. */
export const catalogueRestored = (takenAt: string): NewEvent => ({
  action: 'restore',
  subject: CATALOGUE,
  detail: { taken_at: takenAt },
})

/** What was imported, with the counts of rows so far. */
export const catalogueImported = (detail: Detail): NewEvent => ({
  action: 'import',
  subject: CATALOGUE,
  detail,
})

type Key = { readonly id: number; readonly name: string; readonly prefix: string }

const aboutKey = (action: 'key.created' | 'key.revoked', { id, name, prefix }: Key, owner: User) => ({
  action,
  subject: { kind: 'key' as const, id, name },
  detail: { prefix, owner: named(owner) },
})
export const keyCreated = (key: Key, owner: User): NewEvent => aboutKey('key.created', key, owner)
export const keyRevoked = (key: Key, owner: User): NewEvent => aboutKey('key.revoked', key, owner)
