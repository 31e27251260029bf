// A process has one virtual bus at a time, and libusb's default context is one per process too.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
