/** Permissions that a user can be granted. */
export const permissions = ['movies:read', 'movies:write'] as const
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
}

/** What a route requires of its caller: a token; an activated account; or that and a permission. */
export type Access = 'authenticated' | 'activated' | Permission

export const mayDo = (principal: Principal, permission: Permission) => principal.permissions.has(permission)
