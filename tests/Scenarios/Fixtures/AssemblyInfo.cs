// A process has one virtual bus at a time, and libusb's default context is one per process too.
[assembly: Xunit.CollectionBehavior(DisableTestParallelization = true)]
