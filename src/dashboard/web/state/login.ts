// The way to the login and back to here.

let isLeaving = false

/** Leaves the page for the login, which leads back to this address. */
export const navigateToLogin = (): void => {
  if (isLeaving) return
  isLeaving = true
  const here = location.pathname + location.search
  location.assign(here === '/' ? '/login' : `/login?${new URLSearchParams({ next: here })}`)
}

/** The reader logs out: what is told of the end of the login meanwhile leads to no other address than the logout does. */
export const noteLogout = (): void => {
  isLeaving = true
  // the browser may show the page again as it was
  addEventListener('pageshow', () => {
    isLeaving = false
  })
}
