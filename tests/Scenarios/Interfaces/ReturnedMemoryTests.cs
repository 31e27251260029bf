using Native.LibUsb.Tests.Lifetimes;

namespace Native.LibUsb.Tests.Interfaces;

/// <summary>Tests that an awaited call unpins the caller's memory when the program reads its result.</summary>
public sealed class ReturnedMemoryTests : TwoSettingsTest
{
    [BusFact]
    public void A_result_that_is_taken_while_a_setting_is_changed_leaves_no_pin()
    {
        Context.StartEventThread();
        using var memory = new CountedMemory(8);
        ValueTask<int> read = Interface.GetEndpoint(0x81).ReadAsync(memory.Memory);
        Assert.True(Device.Endpoint(0x81).WaitForPending(1, Patience));
        Device.Packets(0x81).Send(new byte[8]);
        Assert.True(SpinWait.SpinUntil(() => read.IsCompleted, Patience));
        Assert.Equal(1, memory.Pins);
        int pins = -1;
        Device.SettingSelected = () => Task.Run(async () =>
        {
            await read;
            pins = memory.Pins;
        }).Wait(Patience);
        Interface.SetAlternateSetting(1);
        Device.SettingSelected = null; // the release of the interface selects a setting, too
        Assert.Equal(0, pins);
    }
}
