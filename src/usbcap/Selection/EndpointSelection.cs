using Native.LibUsb;

namespace Usbcap.Selection;

/// <summary>Represents the conditions with which the user selects an endpoint. A condition that is null matches every endpoint.</summary>
internal sealed record EndpointSelection
{
    public int? Interface { get; init; }

    public int? AlternateSetting { get; init; }

    public byte? Endpoint { get; init; }

    public TransferKind? Kind { get; init; }

    /// <summary>
    /// Returns the endpoint to capture, in the requested alternate setting. If no setting is requested, the method chooses the setting with the highest
    /// bandwidth.
    /// </summary>
    /// <exception cref="FailureException">No endpoint matches, or more than one endpoint matches. The message lists the possible choices.</exception>
    public EndpointChoice Find(UsbConfigurationDescriptor configuration)
    {
        List<EndpointChoice> all = Read(configuration, out List<(int Interface, int AlternateSetting)> settings);
        CheckSettings(settings);

        List<EndpointChoice> inSettings = all.FindAll(endpoint =>
            (Interface is null || endpoint.Interface == Interface) && (AlternateSetting is null || endpoint.AlternateSetting == AlternateSetting));
        List<EndpointChoice> fitting = inSettings.FindAll(endpoint => Endpoint is null || endpoint.Address == Endpoint);
        if (fitting.Count == 0)
            throw None(Endpoint is { } address ? $"no endpoint 0x{address:x2}" : "no endpoint", inSettings.Count > 0 ? inSettings : all);
        CheckDirectionAndType(ref fitting, inSettings);

        List<EndpointChoice> usable = fitting.FindAll(endpoint => endpoint.BytesPerInterval > 0);
        if (usable.Count == 0)
            throw None($"endpoint {fitting[0]} has no bandwidth in alternate setting {fitting[0].AlternateSetting}", all);
        if (usable.DistinctBy(endpoint => (endpoint.Interface, endpoint.Address)).Count() > 1)
        {
            throw new FailureException(ExitCode.NoEndpoint,
                $"several endpoints match: {Describe(usable)}; choose one with --interface, --endpoint or --type");
        }

        return usable.MaxBy(endpoint => endpoint.Bandwidth)!;
    }

    private static List<EndpointChoice> Read(UsbConfigurationDescriptor configuration, out List<(int Interface, int AlternateSetting)> settings)
    {
        List<UsbInterfaceDescriptor> all = [.. configuration.Interfaces.SelectMany(one => one.AlternateSettings)];
        settings = all.ConvertAll(setting => ((int)setting.InterfaceNumber, (int)setting.Number));
        return
        [
            .. from setting in all
               from endpoint in setting.Endpoints
               where endpoint.TransferType != UsbTransferType.Control
               select new EndpointChoice(setting.InterfaceNumber, setting.Number, endpoint.Address, endpoint.TransferType,
                   endpoint.MaxPacketSize, endpoint.BytesPerInterval, endpoint.ServiceInterval),
        ];
    }

    private void CheckSettings(List<(int Interface, int AlternateSetting)> settings)
    {
        if (Interface is { } number && !settings.Exists(setting => setting.Interface == number))
        {
            throw new FailureException(ExitCode.NoEndpoint,
                $"no interface {number}: the device has {string.Join(", ", settings.Select(setting => setting.Interface).Distinct())}");
        }

        if (AlternateSetting is not { } alternate
            || settings.Exists(setting => setting.AlternateSetting == alternate && (Interface is null || setting.Interface == Interface)))
        {
            return;
        }

        IEnumerable<string> there = settings.Where(setting => Interface is null || setting.Interface == Interface)
            .GroupBy(setting => setting.Interface, setting => setting.AlternateSetting)
            .Select(group => $"interface {group.Key} has {string.Join(", ", group)}");
        throw new FailureException(ExitCode.NoEndpoint, $"no alternate setting {alternate}: {string.Join("; ", there)}");
    }

    private void CheckDirectionAndType(ref List<EndpointChoice> fitting, List<EndpointChoice> there)
    {
        List<EndpointChoice> readable = fitting.FindAll(endpoint => endpoint.IsIn);
        if (readable.Count == 0)
            throw None($"endpoint {fitting[0]} receives data from the host: there is nothing to capture", there);
        fitting = readable;
        if (Kind is not { } kind)
            return;
        List<EndpointChoice> ofKind = readable.FindAll(endpoint => endpoint.Kind == kind);
        if (ofKind.Count == 0)
            throw None(Endpoint is null ? $"no {kind.Name()} IN endpoint" : $"endpoint {readable[0]} is not {kind.Name()}", readable);
        fitting = ofKind;
    }

    private static FailureException None(string what, List<EndpointChoice> there)
    {
        List<EndpointChoice> readable = there.FindAll(endpoint => endpoint.IsIn);
        string rest = readable.Count == 0 ? "no IN endpoint is available" : $"available IN endpoints: {Describe(readable)}";
        return new FailureException(ExitCode.NoEndpoint, $"{what}; {rest}");
    }

    private static string Describe(List<EndpointChoice> endpoints) =>
        string.Join(", ", endpoints.GroupBy(endpoint => (endpoint.Interface, endpoint.Address))
            .Select(group => $"{group.First()} in interface {group.Key.Interface} alternate setting {string.Join("/", group.Select(e => e.AlternateSetting))}"));
}
