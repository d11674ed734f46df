// Why a port could not be opened, in words that name what would mend it.

export interface ListenTarget {
  host: string
  port: number
  /** The setting that the port came from. */
  setting: string
}

/** An error for people; the cause is the system's. */
export const listenError = (cause: NodeJS.ErrnoException, { host, port, setting }: ListenTarget): Error => {
  const reasons: Record<string, string> = {
    EADDRINUSE: `Port ${port} on ${host} is taken: stop the program that uses it, or set ${setting} to another port`,
    EACCES: `Port ${port} on ${host} needs more rights: set ${setting} to a port above 1023`,
    EADDRNOTAVAIL: `${host} is not an address of this machine: set HOST to one that is`,
    ENOTFOUND: `${host} is not a name that can be resolved: set HOST to an address of this machine`,
  }
  return new Error(reasons[cause.code ?? ''] ?? `Port ${port} on ${host} cannot be opened (${cause.code})`, {
    cause,
  })
}
