using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Transfers;

/// <summary>
/// Tests the helper that combines several functions into one callback. The callback calls the function that the test has set for the transfer's status.
/// </summary>
public sealed class UsbTransferHelperTests : BusTest
{
    private readonly InterruptSource _source = new();
    private readonly UsbDeviceHandle _handle;

    public UsbTransferHelperTests() => _handle = Open(_source);

    [BusFact]
    public void True_submits_again_and_false_does_not()
    {
        var reports = new List<byte>();
        var helper = new UsbTransferHelper();
        helper[UsbTransferStatus.Completed] = transfer =>
        {
            reports.Add(transfer.Data[0]);
            return reports.Count < 3;
        };
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetInterrupt(InterruptSource.EndpointAddress, 8, helper.Callback);
        transfer.Submit();
        foreach (byte report in new byte[] { 1, 2, 3, 4 })
            _source.Report([report]);
        HandleEventsUntil(() => reports.Count == 3);
        Assert.False(transfer.IsSubmitted);
        Assert.Equal([1, 2, 3], reports);
    }

    [BusFact]
    public void Each_status_has_its_function_and_the_rest_the_default()
    {
        var ends = new List<string>();
        var helper = new UsbTransferHelper
        {
            Default = transfer =>
            {
                ends.Add($"default {transfer.Status}");
                return false;
            },
        };
        helper[UsbTransferStatus.TimedOut] = _ =>
        {
            ends.Add("timed out");
            return ends.Count < 2; // submits again once
        };
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetInterrupt(InterruptSource.EndpointAddress, 8, helper.Callback, timeout: TimeSpan.FromMilliseconds(10));
        transfer.Submit();
        HandleEventsUntil(() => ends.Count == 2);
        transfer.SetInterrupt(InterruptSource.EndpointAddress, 8);
        transfer.Submit();
        transfer.Cancel();
        Finish(transfer);
        Assert.Equal(["timed out", "timed out", "default Canceled"], ends);
        helper.Default = null;
        transfer.Submit();
        transfer.Cancel();
        Finish(transfer);
        Assert.Equal(3, ends.Count);
    }

    [BusFact]
    public void A_resubmission_that_fails_is_reported()
    {
        var helper = new UsbTransferHelper { Default = static _ => true };
        UsbException? failure = null;
        helper.ResubmitFailed += (_, exception) => failure = exception;
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetInterrupt(InterruptSource.EndpointAddress, 8, helper.Callback);
        transfer.Submit();
        Bus.Detach(_source); // the transfer ends with NoDevice and cannot be submitted again
        HandleEventsUntil(() => failure is not null);
        Assert.Equal(UsbError.NoDevice, failure!.Error);
        Assert.False(transfer.IsSubmitted);
    }

    [BusFact]
    public void The_pump_throws_a_failed_resubmission_that_has_no_subscriber()
    {
        var helper = new UsbTransferHelper { Default = static _ => true };
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetInterrupt(InterruptSource.EndpointAddress, 8, helper.Callback);
        transfer.Submit();
        Bus.Detach(_source);
        Assert.Equal(UsbError.NoDevice, Assert.Throws<UsbException>(() => HandleEventsUntil(() => false)).Error);
    }

    [BusFact]
    public void A_doomed_transfer_ends_without_a_failure()
    {
        var helper = new UsbTransferHelper { Default = static _ => true };
        helper.ResubmitFailed += (_, exception) => Assert.Fail(exception.Message);
        UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetInterrupt(InterruptSource.EndpointAddress, 8, helper.Callback);
        transfer.Submit();
        transfer.Doom();
        _source.Report([1]);
        HandleEventsUntil(() => transfer.IsDisposed);
    }

    [BusFact]
    public void An_undefined_status_is_refused()
    {
        var helper = new UsbTransferHelper();
        Assert.Throws<ArgumentOutOfRangeException>(() => helper[(UsbTransferStatus)7]);
        Assert.Throws<ArgumentOutOfRangeException>(() => helper[(UsbTransferStatus)(-1)] = null);
        Assert.Null(helper[UsbTransferStatus.Stall]);
        Assert.Throws<ArgumentNullException>(() => helper.Invoke(null!));
        Assert.Same(helper.Callback, helper.Callback);
    }
}
