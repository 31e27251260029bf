using System.Diagnostics;
using Native.LibUsb.Interop;
using Native.LibUsb.Testing;
using static Native.LibUsb.Interop.libusb;

namespace Native.LibUsb.Tests.Bus;

/// <summary>Tests native programs that run in other processes and use the bus of this process.</summary>
public sealed unsafe class ProcessTests : IClassFixture<ProcessTests.Child>
{
    private readonly Child _child;

    public ProcessTests(Child child)
    {
        _child = child;
    }

    [BusFact]
    public void Claims_hold_between_processes()
    {
        using Watchdog watchdog = new();
        BulkLoopback loopback = new();
        using RawHost host = new(loopback);
        libusb_device_handle* handle = host.Open(loopback);
        Assert.Equal(-(int)libusb_error.LIBUSB_ERROR_BUSY, _child.Run(host.Bus, "claim", "1209", "0011").Exit);
        RawHost.Check(libusb_release_interface(handle, 0));
        Assert.Equal(0, _child.Run(host.Bus, "claim", "1209", "0011").Exit);
        // The child process has ended, which released its claim.
        RawHost.Check(libusb_claim_interface(handle, 0));
    }

    [BusFact]
    public void A_C_program_captures_the_pattern()
    {
        using Watchdog watchdog = new();
        IsoSource source = new(new IsoSourceOptions { Paced = false });
        using RawHost host = new(source);
        (int exit, byte[] output) = _child.Run(host.Bus, "capture", "1209", "0010", "4", "3072", "4000");
        Assert.Equal(0, exit);
        NumberedPatternChecker checker = new(3072, 0);
        checker.AddStream(output);
        Assert.True(checker.IsPerfect, checker.ToString());
        Assert.Equal(4000, checker.Packets);
    }

    [BusFact]
    public void Hotplug_events_reach_other_processes()
    {
        using Watchdog watchdog = new();
        BulkLoopback loopback = new();
        using VirtualBus bus = TestBus.Create();
        bus.Attach(loopback);
        using Process process = _child.Start(bus, "wait", "1209", "0011");
        Assert.Equal("ready", process.StandardOutput.ReadLine());
        bus.Detach(loopback);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    [BusFact]
    public void Killing_a_process_ends_its_transfers_and_its_claim()
    {
        using Watchdog watchdog = new();
        IsoSource source = new();
        using RawHost host = new(source);
        using (Process process = _child.Start(host.Bus, "capture", "1209", "0010", "1", "512", "1000000000"))
        {
            Assert.True(source.Source.WaitForSubmitted(8, TimeSpan.FromSeconds(30)));
            process.Kill();
            process.WaitForExit();
        }
        Assert.True(source.Source.WaitForCompleted(source.Source.Submitted, TimeSpan.FromSeconds(30)));
        Assert.Empty(source.Source.Pending);
        libusb_device_handle* handle = host.Open(source, claim: -1);
        // The kernel closes the socket of the killed process before WaitForExit returns. The bus may notice the closed socket later, and until then, the killed
        // process still has the claim. The test therefore repeats its attempt to claim the interface until the interface is no longer busy.
        int result;
        do
            result = libusb_claim_interface(handle, 0);
        while (result == (int)libusb_error.LIBUSB_ERROR_BUSY);
        RawHost.Check(result);
    }

    [BusFact]
    public void Lsusb_shows_the_devices()
    {
        using Watchdog watchdog = new();
        using RawHost host = new(new IsoSource(new IsoSourceOptions { SerialNumber = "find me" }));
        (int exit, byte[] output) = Child.Run(host.Bus, "/usr/bin/lsusb", ["-v", "-d", "1209:0010"]);
        string text = System.Text.Encoding.UTF8.GetString(output);
        Assert.Equal(0, exit);
        Assert.Contains("find me", text, StringComparison.Ordinal);
        Assert.Contains("3x 1024 bytes", text, StringComparison.Ordinal);
    }

    /// <summary>Represents the compiled program.</summary>
    public sealed class Child : IDisposable
    {
        private readonly CProgram _program = new("child.c", "-lusb-1.0");

        public static (int Exit, byte[] Output) Run(VirtualBus bus, string program, string[] arguments)
        {
            ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true };
            bus.ApplyTo(start);
            using Process process = Process.Start(start)!;
            return Finish(process);
        }

        public (int Exit, byte[] Output) Run(VirtualBus bus, params string[] arguments)
        {
            using Process process = Start(bus, arguments);
            return Finish(process);
        }

        public Process Start(VirtualBus bus, params string[] arguments) => _program.Start(bus, arguments);

        public void Dispose() => _program.Dispose();

        private static (int Exit, byte[] Output) Finish(Process process)
        {
            using MemoryStream output = new();
            process.StandardOutput.BaseStream.CopyTo(output);
            process.WaitForExit();
            return (process.ExitCode, output.ToArray());
        }
    }
}
