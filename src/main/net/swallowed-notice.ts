/** What is said where a family swallows what is sent. */
export function swallowedNotice(to: string, family: 4 | 6): string {
  return `What is sent to ${to} over IPv${family} is lost on its way, although the connection opened (large packets that are swallowed?); IPv${family === 6 ? 4 : 6} is tried, and preferred for ten minutes`;
}
