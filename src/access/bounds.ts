// How large what somebody asks of the room access may be, the same at every API: longer texts are refused before anything
// is done with them. What makes a good name or password is decided elsewhere.

const DAY_SECONDS = 24 * 60 * 60

export const ACCESS_BOUNDS = {
  /** Characters of the name of an account. */
  name: 200,
  password: 1_000,
  /** Of the text that an admin gives to somebody. */
  invitation: 200,
  keyName: 100,
  /** How many kinds a key may name, and the characters of each. */
  kinds: 50,
  kindName: 63,
  note: 200,
  /** How long a link to a task holds. */
  shareSeconds: { min: 1, max: 30 * DAY_SECONDS, default: DAY_SECONDS },
  /** How long an invitation holds. */
  invitationSeconds: { min: 60, max: 90 * DAY_SECONDS, default: 7 * DAY_SECONDS },
} as const
