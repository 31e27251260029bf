using Native.LibUsb.Tests.Lifetimes;

namespace Native.LibUsb.Tests.Interfaces;

/// <summary>
/// Tests transfers that an endpoint keeps for awaited calls. The library must free these transfers as soon as the endpoint becomes stale. It must not wait
/// until the interface is disposed.
/// </summary>
public sealed class KeptTransferTests : TwoSettingsTest
{
    [BusFact]
    public async Task Another_setting_frees_the_transfers_at_once()
    {
        int before = await KeepTransferAsync();
        Interface.SetAlternateSetting(1);
        Assert.Equal(before, UserDataHandles.Count);
    }

    [PreloadOnly(KernelLimits.Resets)]
    [BusFact]
    public async Task The_next_use_after_a_reset_frees_the_transfers()
    {
        int before = await KeepTransferAsync();
        Handle.Reset();
        Assert.NotEmpty(Interface.Endpoints);
        Assert.Equal(before, UserDataHandles.Count);
    }

    [BusFact]
    public async Task A_result_that_is_taken_after_the_setting_has_changed_frees_its_transfer()
    {
        UserDataHandles.CollectForgotten();
        int before = UserDataHandles.Count;
        ValueTask<int> writing = Interface.GetEndpoint(0x01).WriteAsync(new byte[1]);
        Assert.True(SpinWait.SpinUntil(() => writing.IsCompleted, Patience));
        Interface.SetAlternateSetting(1);
        Assert.Equal(before + 1, UserDataHandles.Count);
        await writing;
        Assert.Equal(before, UserDataHandles.Count);
    }

    /// <summary>Makes an endpoint keep a transfer.</summary>
    /// <returns>The number of user-data handles before the call. Each transfer has one such handle.</returns>
    private async Task<int> KeepTransferAsync()
    {
        UserDataHandles.CollectForgotten();
        int before = UserDataHandles.Count;
        await Interface.GetEndpoint(0x01).WriteAsync(new byte[1]);
        Assert.Equal(before + 1, UserDataHandles.Count);
        return before;
    }
}
