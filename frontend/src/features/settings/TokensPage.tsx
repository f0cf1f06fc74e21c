import { Tokens } from './Tokens';

/** Every access key of the workspace. */
export function TokensPage() {
  return <Tokens />;
}
