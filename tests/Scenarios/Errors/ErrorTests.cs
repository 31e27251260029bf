using System.Runtime.CompilerServices;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Errors;

/// <summary>Tests that error codes are thrown as exceptions.</summary>
public sealed class ErrorTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(int.MaxValue)]
    public void What_is_no_error_comes_back(int code) => Assert.Equal(code, UsbException.ThrowIfError(code, "test"));

    [Theory]
    [InlineData(-6, UsbError.Busy)]
    [InlineData(-99, UsbError.Other)]
    [InlineData(-1234, (UsbError)(-1234))] // a code of a future libusb
    public void An_error_is_thrown_with_its_code(int code, UsbError expected)
    {
        UsbException thrown = Assert.Throws<UsbException>(() => UsbException.ThrowIfError(code, "do that"));
        Assert.Equal(expected, thrown.Error);
        Assert.Equal("do that", thrown.Operation);
        Assert.Equal(0, thrown.BytesTransferred);
        Assert.Contains($"[{code}]", thrown.Message, StringComparison.Ordinal);
    }
}

/// <summary>Tests that transfers that refer to themselves are collected.</summary>
public sealed class TransferCycleTests : BusTest
{
    [BusFact]
    public void A_transfer_in_a_cycle_with_its_callback_is_collected()
    {
        using UsbDeviceHandle handle = Open(new BulkLoopback());
        int[] callbacks = new int[1];
        WeakReference forgotten = Forget(handle, callbacks);
        HandleEventsUntil(() => callbacks[0] == 3);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.False(forgotten.IsAlive);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Forget(UsbDeviceHandle handle, int[] callbacks)
    {
        UsbTransfer transfer = handle.CreateTransfer();
        transfer.State = transfer;
        transfer.SetBulk(BulkLoopback.OutAddress, 1, _ =>
        {
            if (++callbacks[0] < 3)
                transfer.Submit(); // uses the variable and not the argument, so that the callback refers to the transfer
        });
        transfer.Submit();
        return new WeakReference(transfer);
    }
}
