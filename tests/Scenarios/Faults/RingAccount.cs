using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Faults;

/// <summary>
/// Compares the data of a ring with the recorded faults of the ring's endpoint. The checks run in callbacks of the ring or while a thread holds the device's
/// lock, so the checks must not throw exceptions. This class therefore stores the first failures, and the test reports them.
/// </summary>
internal abstract class RingAccount(FaultLedger ledger, long target)
{
    private readonly List<string> _failures = [];
    private readonly TaskCompletionSource _enough = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _transfers;

    /// <summary>Gets a task that completes when the target number of transfers has ended, or when a check has failed.</summary>
    public Task Enough => _enough.Task;

    /// <summary>Gets the number of transfers that have been counted.</summary>
    public long Transfers => Volatile.Read(ref _transfers);

    protected FaultLedger Ledger => ledger;

    /// <summary>Fails the test if a check has failed.</summary>
    public void Check() => Assert.True(_failures.Count == 0, string.Join('\n', _failures));

    protected void Count()
    {
        if (Interlocked.Increment(ref _transfers) == target)
            _enough.TrySetResult();
    }

    protected void Expect(bool holds, string what)
    {
        if (holds)
            return;
        lock (_failures)
        {
            if (_failures.Count < 10)
                _failures.Add(what);
        }

        _enough.TrySetResult();
    }

    /// <summary>Returns the status that libusb reports for the status of a URB.</summary>
    protected static UsbTransferStatus StatusOf(UrbStatus status) => status switch
    {
        UrbStatus.Success => UsbTransferStatus.Completed,
        UrbStatus.Stall => UsbTransferStatus.Stall,
        UrbStatus.Overflow => UsbTransferStatus.Overflow,
        _ => UsbTransferStatus.Error,
    };
}
