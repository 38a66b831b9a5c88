/**
 * Counts a sign-in as failed before it is tried, first for the given name, then for the account; the count is
 * taken back unless the password was wrong.
 */
export type CountFailure = (name: string) => Promise<FailureCount>
export type FailureCount = {
  /** False when this account has used up its failures, under any of its names. */
  countAccount(account: string): Promise<boolean>
  takeBack(): Promise<void>
}

/** The name under which an account's failures are counted. */
export const accountOf = (userId: number) => `user ${userId}`

/** Runs a sign-in that returns undefined, and stays counted, when the password is wrong. */
export async function signInCounted<T>(
  failure: FailureCount,
  tryToSignIn: () => Promise<T | undefined>,
): Promise<T | undefined> {
  try {
    const signedIn = await tryToSignIn()
    if (signedIn !== undefined) await failure.takeBack()
    return signedIn
  } catch (error) {
    await failure.takeBack()
    throw error
  }
}
