// With this attribute, every test continues on the thread pool after an await. Otherwise, a test could end on the event thread. The attribute also records the
// name of the running test for the reports of watchdogs. A watchdog itself knows only the name of the method that created the watchdog.
[assembly: Native.LibUsb.Tests.RunningTest]

// Tests run one at a time, because a process has only one virtual bus at a time, and libusb has only one default context per process.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
