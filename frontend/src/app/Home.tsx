import { Navigate } from '@tanstack/react-router';
import { useRight } from '~/api/me';

/** `/` leads to where the person's work is. */
export function Home() {
  return <Navigate to={useRight('flow.view') ? '/flows/' : '/inbox/'} replace />;
}
