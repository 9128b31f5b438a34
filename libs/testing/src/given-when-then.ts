export { given, type ThenStep, type WhenStep } from '@gantry/event-sourcing/testing/given-when-then';
