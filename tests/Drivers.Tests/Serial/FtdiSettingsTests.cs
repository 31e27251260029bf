using Drivers.Serial;
using Drivers.Tests.Devices;

namespace Drivers.Tests.Serial;

/// <summary>Tests the requests that set the parameters of the serial line, and the answers to these requests.</summary>
public sealed class FtdiSettingsTests : FtdiTest
{
    private const byte SetModemControl = 1, SetFlowControl = 2, SetBaudRate = 3, SetFormat = 4;

    private readonly FtdiAdapter _adapter = new();

    [BusTheory]
    [InlineData(300, 0x2710, 0)]
    [InlineData(9_600, 0x4138, 0)]
    [InlineData(57_600, 0xc034, 0)]
    [InlineData(115_200, 0x001a, 0)]
    [InlineData(921_600, 0x8003, 0)]
    [InlineData(1_263_157, 0x0002, 1)] // 2.375, whose code has a bit in the index
    [InlineData(2_000_000, 1, 0)]
    [InlineData(3_000_000, 0, 0)]
    public async Task A_baud_rate_becomes_a_divisor(int rate, int value, int index)
    {
        await using FtdiStream port = Plug(_adapter);
        double actual = port.SetBaudRate(rate);
        Assert.Equal(((ushort)value, (ushort)index), _adapter.Requests[SetBaudRate]);
        Assert.InRange(actual, rate * 0.97, rate * 1.03);
    }

    [BusTheory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(1_700_000)]
    [InlineData(4_000_000)]
    public async Task A_rate_that_the_chip_does_not_have_is_refused(int rate)
    {
        await using FtdiStream port = Plug(_adapter);
        Assert.Throws<ArgumentOutOfRangeException>(() => port.SetBaudRate(rate));
        Assert.DoesNotContain(SetBaudRate, _adapter.Requests.Keys);
    }

    [BusFact]
    public async Task Format_flow_control_and_modem_lines_are_set()
    {
        await using FtdiStream port = Plug(_adapter);
        port.SetFormat(7, FtdiParity.Even, FtdiStopBits.Two, sendsBreak: true);
        Assert.Equal((ushort)(7 | (2 << 8) | (2 << 11) | (1 << 14)), _adapter.Requests[SetFormat].Value);
        port.SetFlowControl(FtdiFlowControl.RtsCts);
        Assert.Equal((ushort)0x100, _adapter.Requests[SetFlowControl].Index);
        port.SetFlowControl(FtdiFlowControl.XonXoff);
        Assert.Equal(((ushort)0x1311, (ushort)0x400), _adapter.Requests[SetFlowControl]);
        port.SetModemLines(dataTerminalReady: true);
        Assert.Equal((ushort)0x101, _adapter.Requests[SetModemControl].Value);
        port.SetModemLines(dataTerminalReady: false, requestToSend: true);
        Assert.Equal((ushort)0x302, _adapter.Requests[SetModemControl].Value);
        Assert.Throws<ArgumentOutOfRangeException>(() => port.SetFormat(dataBits: 6));
    }

    [BusFact]
    public async Task The_latency_timer_is_set_and_read()
    {
        await using FtdiStream port = Plug(_adapter);
        Assert.Equal(TimeSpan.FromMilliseconds(16), port.ReadLatency());
        port.SetLatency(TimeSpan.FromMilliseconds(2));
        Assert.Equal(TimeSpan.FromMilliseconds(2), port.ReadLatency());
        Assert.Throws<ArgumentOutOfRangeException>(() => port.SetLatency(TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => port.SetLatency(TimeSpan.FromMilliseconds(256)));
    }

    [BusFact]
    public async Task A_short_answer_is_an_error_that_names_the_fault()
    {
        await using FtdiStream port = Plug(_adapter);
        _adapter.Answer = [];
        Assert.Contains("0 bytes instead of 1", Assert.Throws<InvalidDataException>(() => port.ReadLatency()).Message, StringComparison.Ordinal);
        _adapter.Answer = [1];
        Assert.Contains("1 bytes instead of 2", Assert.Throws<InvalidDataException>(() => port.ReadStatus()).Message, StringComparison.Ordinal);
    }
}
