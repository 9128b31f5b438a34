export { eventually } from '@gantry/jetstream/testing/eventually';
