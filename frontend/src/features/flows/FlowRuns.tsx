import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { RunList } from '~/features/runs/RunList';
import { Page } from '~/ui/Page';

/** The runs of one flow. */
export function FlowRuns() {
  const { flowId } = useParams({ from: '/flows/$flowId' });
  const search = useSearch({ from: '/flows/$flowId/runs' });
  const navigate = useNavigate({ from: '/flows/$flowId/runs' });
  return (
    <Page>
      <RunList filter={{ ...search, flow: flowId }} fixedFlow onFilter={({ status, from }) => void navigate({ search: { status, from }, replace: true })} />
    </Page>
  );
}
