/** Permissions that every new user may get. */
export const commonPermissions = ['movies:read', 'movies:write'] as const
export type CommonPermission = (typeof commonPermissions)[number]
/** Permissions that a user can be granted; `admin` opens users, trail and figures to them. */
export const permissions = [...commonPermissions, 'admin'] as const
export type Permission = (typeof permissions)[number]

export const isPermission = (value: string): value is Permission =>
  permissions.some((known) => known === value)

/** The user of a request, at one generation of their tokens. */
export type Principal = {
  readonly id: number
  readonly name: string
  readonly username: string | null
  readonly tokenGeneration: number
  readonly activated: boolean
  readonly permissions: ReadonlySet<string>
  /** Ids of their API keys. */
  readonly keyIds: ReadonlySet<number>
}

/** Who sends a request: a user with a token, a key that reads for its owner, or nobody in particular. */
export type Caller =
  | { readonly kind: 'user'; readonly user: Principal }
  | { readonly kind: 'key'; readonly user: Principal; readonly keyId: number }
  | { readonly kind: 'nobody'; readonly user?: never }

/** A caller who has shown a token or a key. */
export type KnownCaller = Exclude<Caller, { kind: 'nobody' }>

/** What a route requires of its caller: a token; an activated account; or that and a permission. */
export type Access = 'authenticated' | 'activated' | Permission

export const mayDo = (principal: Principal, permission: Permission) => principal.permissions.has(permission)
